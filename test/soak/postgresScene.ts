import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, parseDocument } from "yaml";
import { postgresChecks } from "../../checks/postgres";
import { podManifest } from "../../checks/probe";
import { runChecks } from "../../checks/runner";
import { Stand } from "../../checks/stand";
import { selector } from "../../components/lib/labels";
import { image, readTarget } from "../../components/lib/target";
import { ROOT, type Result, apply, copyOfProject, kubectl, outputs, pulumi, shell, tryKubectl } from "../live/world";

export const STACK = "dev";
export const DATA = `${STACK}-data`;
export const APPS = `${STACK}-apps`;
export const APP = "visit-tracker";
export const ROLE = "visit_tracker";
export const HOST = `postgres.${DATA}.svc.cluster.local`;

/** The stack with a Postgres in it, of which the visit tracker has a database. */
export class PostgresScene {
  private constructor(private readonly copy: string) {}

  static make = async (): Promise<PostgresScene> => new PostgresScene(await copyOfProject());

  async up(postgres: object): Promise<void> {
    await this.upWith((settings) => {
      settings.setIn(["config", "platform:postgres"], postgres);
      settings.setIn(["config", "platform:apps", APP, "postgres"], true);
    });
  }

  /** Without a Postgres, and so without its volumes: there is no other way back from copies to one server. */
  async clear(): Promise<void> {
    await this.upWith((settings) => {
      settings.setIn(["config", "platform:postgres"], {});
      const { config } = settings.toJS() as { config: Record<string, Record<string, { postgres?: unknown }>> };
      for (const [app, { postgres }] of Object.entries(config["platform:apps"] ?? {}))
        if (postgres) settings.deleteIn(["config", "platform:apps", app]);
    });
  }

  private async upWith(change: (settings: Document) => void): Promise<void> {
    const file = `Pulumi.${STACK}.yaml`;
    const settings = parseDocument(fs.readFileSync(path.join(ROOT, file), "utf8"));
    change(settings);
    fs.writeFileSync(path.join(this.copy, file), settings.toString());
    await succeeds(pulumi(["up", "-s", STACK, "--yes", "--skip-preview"], { cwd: this.copy }));
  }

  async unchanged(): Promise<void> {
    await succeeds(pulumi(["up", "-s", STACK, "--yes", "--skip-preview", "--expect-no-changes"], { cwd: this.copy }));
  }

  /** As the committed stack file has it. */
  async end(): Promise<void> {
    fs.rmSync(this.copy, { recursive: true, force: true });
    await tryKubectl([
      "delete",
      "pod",
      CLIENT,
      STRANGER,
      "-n",
      APPS,
      "--force",
      "--grace-period=0",
      "--ignore-not-found",
    ]);
    await succeeds(pulumi(["up", "-s", STACK, "--yes", "--skip-preview"]));
  }

  stand = async (): Promise<Stand> => new Stand(STACK, await shell(), this.copy);

  /** What `npm run verify` would say of it. */
  async verified(): Promise<void> {
    const outcomes = await runChecks(postgresChecks, await this.stand(), { atOnce: 2 });
    const failed = outcomes.filter(({ status }) => status === "fail");
    assert.deepEqual(failed, []);
    assert.ok(outcomes.some(({ status }) => status === "pass"));
  }
}

async function succeeds(command: Promise<Result>): Promise<void> {
  const { code, all } = await command;
  assert.equal(code, 0, all);
}

const CLIENT = "postgres-client";
const STRANGER = "postgres-stranger";

/** A pod with the image's client, which never becomes ready, so that no Service sends it a user. */
async function clientPod(name: string, labels: Record<string, string>): Promise<void> {
  const pod = podManifest({
    name,
    namespace: APPS,
    image: image(readTarget(await shell()), "postgres"),
    labels,
    command: ["sh", "-c", 'echo "$CA" >/tmp/ca.crt; exec sleep 86400'],
  });
  const { certificateAuthority } = (await outputs(STACK)).edge;
  Object.assign(pod.spec.containers[0], {
    env: [
      { name: "CA", value: certificateAuthority },
      { name: "PGSSLROOTCERT", value: "/tmp/ca.crt" },
      { name: "PGCONNECT_TIMEOUT", value: "3" },
      { name: "HOME", value: "/tmp" },
    ],
    envFrom: [{ secretRef: { name: `${APP}-postgres` } }],
  });
  Object.assign(pod.spec, { readinessGates: [{ conditionType: "platform/check" }] });
  await kubectl(["delete", "pod", name, "-n", APPS, "--force", "--grace-period=0", "--ignore-not-found"]);
  await apply(pod);
  await kubectl(["wait", "--for=condition=ContainersReady", `pod/${name}`, "-n", APPS, "--timeout=90s"]);
}

/** With the application's labels, and so with its way to Postgres. */
export const makeClient = (): Promise<void> =>
  clientPod(CLIENT, selector({ environment: STACK, component: "app", name: APP }));
export const makeStranger = (): Promise<void> => clientPod(STRANGER, { test: STRANGER });

const inPod = (pod: string, script: string, args: readonly string[], input?: string): Promise<Result> =>
  tryKubectl(["exec", "-i", "-n", APPS, pod, "--", "sh", "-c", script, "sh", ...args], {
    input: input ?? "",
    timeoutMs: 600_000,
  });

const SQL = 'psql -XqAt -v ON_ERROR_STOP=1 -c "$1" 2>&1';

/** What the application is answered. */
export async function ask(statement: string, pod = CLIENT): Promise<string> {
  const { code, all } = await inPod(pod, SQL, [statement]);
  if (code !== 0) throw new Error(all.trim());
  return all.trim();
}

export const askAsStranger = (statement: string): Promise<string> => ask(statement, STRANGER);

/** With other settings than its own: `PGSSLMODE=disable`, or a password from standard input. */
export async function refusal(settings: string, password?: string): Promise<string> {
  const read = password === undefined ? "" : "IFS= read -r PGPASSWORD; export PGPASSWORD;";
  const { all } = await inPod(CLIENT, `${read} ${settings} psql -XqAt -c 'SELECT 1' 2>&1`, [], `${password ?? ""}\n`);
  return all.trim();
}

/** One write after the other until a file appears: when, and which was confirmed. A client that waits too long gives up. */
const WRITER = `rm -f /tmp/stop; i=$1
while [ ! -e /tmp/stop ]; do
  i=$((i + 1))
  timeout 5 psql -XqAt -v ON_ERROR_STOP=1 -c "INSERT INTO things VALUES ($i)" >/dev/null 2>&1 && echo "$(cut -d' ' -f1 /proc/uptime) $i"
done`;

let written = 0;

/** Writes all the while, then looks every confirmed row up; gives the longest time without one, in seconds. */
export async function whileWriting(work: () => Promise<unknown>): Promise<number> {
  const writing = inPod(CLIENT, WRITER, [String(written)]);
  await sleep(3000);
  try {
    await work();
    await sleep(5000);
  } finally {
    await inPod(CLIENT, "touch /tmp/stop", []);
  }
  const lines = (await writing).out.trim().split("\n");
  const rows = lines.map((line) => line.split(" ").map(Number) as [number, number]);
  written = Math.max(written, ...rows.map(([, id]) => id)) + 1000;
  const found = new Set((await ask("SELECT id FROM things")).split("\n").map(Number));
  assert.ok(rows.length > 10, `only ${rows.length} writes were confirmed`);
  assert.deepEqual(
    rows.filter(([, id]) => !found.has(id)),
    [],
    "confirmed and lost",
  );
  return Math.max(...rows.slice(1).map(([time], index) => time - (rows[index]?.[0] ?? time)));
}
