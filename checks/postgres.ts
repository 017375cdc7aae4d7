import { ADMIN, EXPORTER_PORT, roleOf } from "../components/postgres/settings";
import { selector } from "../components/lib/labels";
import type { OwnPostgres } from "../components/lib/postgresConfig";
import { type Check, Skip } from "./check";
import { type Pod, nameOf, serversOf } from "./pods";
import type { Stand } from "./stand";
import { deployerToken, readKept } from "./vault";

/** As index.ts names it. */
const LABELS = selector({ environment: "", component: "postgres", name: "postgres" });

function configOf(stand: Stand): OwnPostgres {
  const { postgres } = stand.config;
  if (!postgres) throw new Skip("the stack has no Postgres");
  if (postgres.external) throw new Skip("its Postgres is somebody else's");
  return postgres;
}

const servers = (stand: Stand): Promise<readonly Pod[]> => serversOf(stand, "Postgres", LABELS);

/** What a shell in the server's container says; a password comes by its standard input. */
async function inside(
  stand: Stand,
  { metadata }: Pod,
  script: string,
  args: readonly string[] = [],
  input = "",
): Promise<string> {
  const at = ["exec", "-i", "-n", metadata.namespace, metadata.name, "-c", "postgres"];
  const command = ["--", "sh", "-c", `. /etc/postgres/common.sh; ${script}`, "sh", ...args];
  return (await stand.tryKubectl([...at, ...command], { input })).all.trim();
}

/** As a client over the network would log in: what it is told. */
const LOGIN = `IFS= read -r PGPASSWORD; export PGPASSWORD
psql -XqAt "host=localhost sslmode=$1 sslrootcert=$CERTIFICATES/ca.crt user=$2 dbname=$3 connect_timeout=5" -c 'SELECT current_database()' 2>&1`;

const login = (stand: Stand, pod: Pod, password: string, ...how: readonly string[]): Promise<string> =>
  inside(stand, pod, LOGIN, how, `${password}\n`);

const kept = (stand: Stand, path: string): Promise<Readonly<Record<string, string>>> =>
  stand.once(`kept ${path}`, async () => readKept(stand, await deployerToken(stand), path));

async function administrator(stand: Stand): Promise<void> {
  configOf(stand);
  const password = (await kept(stand, `postgres/${ADMIN}`))[ADMIN] ?? "";
  for (const pod of await servers(stand)) {
    const said = (await inside(stand, pod, "env")).split("\n");
    if (!said.includes(`ADMIN_USERNAME=${ADMIN}`)) throw new Error(`${nameOf(pod)} has no ADMIN_USERNAME`);
    if (!password || !said.includes(`ADMIN_PASSWORD=${password}`))
      throw new Error(
        `ADMIN_PASSWORD of ${nameOf(pod)} is not Vault's: a pod that is older than a rotation takes it anew`,
      );
  }
}

async function ownDatabaseOnly(stand: Stand): Promise<string> {
  configOf(stand);
  const apps = Object.entries(stand.config.apps).flatMap(([app, { postgres }]) =>
    postgres ? [{ app, postgres }] : [],
  );
  if (apps.length === 0) throw new Skip("no application has a database");
  const [pod] = await servers(stand);
  if (!pod) return "";
  for (const { app, postgres } of apps) {
    const role = roleOf(app);
    const password = (await kept(stand, `postgres/${app}`))[role] ?? "";
    const own = await login(stand, pod, password, "verify-full", role, postgres.database);
    if (own !== postgres.database) throw new Error(`${app} is not let into ${postgres.database}: ${own}`);
    for (const database of ["postgres", "template1", ...apps.map((each) => each.postgres.database)]) {
      if (database === postgres.database) continue;
      const other = await login(stand, pod, password, "verify-full", role, database);
      if (!/permission denied for database/.test(other))
        throw new Error(`${app} is not kept out of ${database}: ${other}`);
    }
  }
  return apps.map(({ app, postgres }) => `${app}: ${postgres.database}`).join(", ");
}

async function closed(stand: Stand): Promise<string> {
  configOf(stand);
  const pods = await servers(stand);
  for (const pod of pods) {
    const open = await login(stand, pod, "none", "disable", ADMIN, "postgres");
    if (!/no encryption/.test(open)) throw new Error(`${nameOf(pod)} answers a client in the open: ${open}`);
    const superuser = await login(stand, pod, "none", "verify-full", "postgres", "postgres");
    if (!/pg_hba.conf rejects/.test(superuser))
      throw new Error(`${nameOf(pod)} lets the superuser come over the network: ${superuser}`);
    const wrong = await login(stand, pod, "none", "verify-full", ADMIN, "postgres");
    if (!/password authentication failed/.test(wrong))
      throw new Error(`${nameOf(pod)} takes a wrong password: ${wrong}`);
  }
  return `${pods.length} servers`;
}

/** By the superuser, who comes by the socket of the pod. */
const QUESTION = `psql -XqAt -h "$SOCKET" -U postgres -d postgres -c "$1"`;
const FOLLOWING =
  "SELECT count(*) || ' follow, ' || count(*) FILTER (WHERE sync_state = 'sync') || ' closely' " +
  "FROM pg_stat_replication WHERE state = 'streaming' HAVING NOT pg_is_in_recovery()";

async function copied(stand: Stand): Promise<string> {
  const { mode, replicas } = configOf(stand);
  if (mode === "single") throw new Skip("Postgres is one server here");
  const said = await Promise.all((await servers(stand)).map((pod) => inside(stand, pod, QUESTION, [FOLLOWING])));
  if (said.length !== 1 + replicas) throw new Error(`${said.length} servers are ready, of ${1 + replicas}`);
  const [leading, ...more] = said.filter(Boolean);
  if (leading === undefined || more.length > 0)
    throw new Error(`${said.filter(Boolean).length} servers take writes, of 1`);
  if (leading !== `${replicas} follow, 1 closely`) throw new Error(`${leading}, of ${replicas}`);
  return leading;
}

/** By what an image has: busybox, or bash. */
const METRICS = `wget -qO- http://localhost:$1/metrics 2>/dev/null ||
bash -c 'exec 3<>/dev/tcp/localhost/$0; printf "GET /metrics HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3' "$1"`;

async function measured(stand: Stand): Promise<string> {
  configOf(stand);
  if (!stand.config.monitoring.enabled) throw new Skip("the stack has no monitoring");
  const pods = await servers(stand);
  for (const pod of pods) {
    const said = await inside(stand, pod, METRICS, [String(EXPORTER_PORT)]);
    for (const figure of [/^pg_up 1$/m, /^pg_role_connections\{/m])
      if (!figure.test(said)) throw new Error(`the exporter of ${nameOf(pod)} does not say ${figure.source}`);
  }
  return `${pods.length} exporters`;
}

export const postgresChecks: readonly Check[] = [
  { id: "002.5", title: "the servers of Postgres have the administrator's login from Vault", run: administrator },
  {
    id: "001.14",
    title: "each application gets into its own database with Vault's password, and into no other",
    run: ownDatabaseOnly,
  },
  {
    id: "001.14",
    title: "no server of Postgres takes a client in the open, a wrong password or the superuser",
    run: closed,
  },
  { id: "001.3", title: "every copy of Postgres follows, one with every confirmed write", run: copied },
  { id: "002.6", title: "every server of Postgres is up by its exporter", run: measured },
];
