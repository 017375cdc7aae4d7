import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PatroniArgs, bootstrapConfig, dynamicConfig, patroniConfig } from "./patroni";
import { type PostgresMode, USER, pgHba, postgresqlConf } from "./settings";

const COMMON = [
  ...["admin.sql", "application.sql", "others.sql", "setup.sql"],
  ...["common.sh", "keeper.sh", "probe.sh", "queries.yaml"],
];

const COPIED: Readonly<Record<PostgresMode, readonly string[]>> = {
  single: [...COMMON, "server.sh"],
  replicated: [...COMMON, "ask.py", "begin.py", "patroni.sh", "replicator.sql", "rewinder.sql"],
};

/** By whatever number an image knows them: the servers run as the same user in each. */
const passwd = (): string =>
  [`postgres:x:${USER}:${USER}::/tmp:/bin/sh`, "nobody:x:65534:65534::/:/bin/sh", "root:x:0:0::/:/bin/sh", ""].join(
    "\n",
  );

const generated = (mode: PostgresMode, args: PatroniArgs): Record<string, string> => {
  if (mode === "single") return { "postgresql.conf": postgresqlConf(args) };
  return {
    "patroni.yml": JSON.stringify(patroniConfig(args), null, 2),
    "bootstrap.yml": JSON.stringify(bootstrapConfig(args), null, 2),
    "dynamic.json": JSON.stringify(dynamicConfig(args), null, 2),
    passwd: passwd(),
  };
};

/** What the pods find in /etc/postgres. Nothing of it depends on the applications: one that comes must not restart the servers. */
export const filesOf = (mode: PostgresMode, args: PatroniArgs): Record<string, string> => ({
  "pg_hba.conf": pgHba(mode),
  ...generated(mode, args),
  ...Object.fromEntries(COPIED[mode].map((file) => [file, readFileSync(join(__dirname, file), "utf8")])),
});
