import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PostgresMode, type ServerSize, pgHba, postgresqlConf } from "./settings";

const COPIED: Readonly<Record<PostgresMode, readonly string[]>> = {
  single: [
    "admin.sql",
    "application.sql",
    "common.sh",
    "keeper.sh",
    "others.sql",
    "queries.yaml",
    "probe.sh",
    "server.sh",
    "setup.sql",
  ],
  replicated: [],
};

/** What the pods find in /etc/postgres. Nothing of it depends on the applications: one that comes must not restart the servers. */
export const filesOf = (mode: PostgresMode, size: ServerSize): Record<string, string> => ({
  "postgresql.conf": postgresqlConf(size),
  "pg_hba.conf": pgHba(mode),
  ...Object.fromEntries(COPIED[mode].map((file) => [file, readFileSync(join(__dirname, file), "utf8")])),
});
