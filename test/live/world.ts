import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CHECKS } from "../../checks";
import { BROWSER } from "../../checks/applications";
import type { Outcome } from "../../checks/check";
import { type Result, type RunOptions, run as runCommand } from "../../checks/command";
import { podManifest } from "../../checks/probe";
import { runChecks } from "../../checks/runner";
import { type Outputs, Stand } from "../../checks/stand";
import { type Answer, ask } from "../../checks/web";
import { image, readTarget } from "../../components/lib/target";

/** The cluster that all live suites share, and the ways to look at it from outside. */
export type { Outputs, Result };
export const ROOT = path.resolve(__dirname, "..", "..");
export const NAME = process.env.PLATFORM_TEST_SANDBOX ?? "test";
const TSX = require.resolve("tsx/cjs");

/** Runs a command in the project. */
export const run = (command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> =>
  runCommand(command, args, { cwd: ROOT, ...options });

/** One of our commands, as npm runs it. */
export const platform = (command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Result> =>
  run(
    process.execPath,
    ["--require", TSX, path.join(options.cwd ?? ROOT, "commands", `${command}.ts`), ...args],
    options,
  );

let firstUp: Promise<Result> | undefined;

/** The stack stands on its cluster: brought up once in a run of several suites, each of which leaves it standing. */
export async function broughtUp(): Promise<void> {
  const { code, all } = await (firstUp ??= platform("up", ["--name", NAME]));
  if (code !== 0) throw new Error(`npm run up: ${all}`);
}

let session: NodeJS.ProcessEnv | undefined;

/** What `npm run env` prints, as an environment. */
export async function shell(): Promise<NodeJS.ProcessEnv> {
  if (session) return session;
  const { out, code, err } = await platform("env", ["--name", NAME]);
  if (code !== 0) throw new Error(err);
  const matches = [...out.matchAll(/^export (\w+)='(.*)'$/gm)];
  const exported = matches.map(([, name = "", value = ""]): [string, string] => [name, value]);
  const found: NodeJS.ProcessEnv = { ...process.env, ...Object.fromEntries(exported) };
  session = found;
  return found;
}

export async function kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run("kubectl", args, { env: await shell(), timeoutMs: 120_000, ...options });
  if (result.code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${result.err}`);
  return result.out;
}

export const tryKubectl = async (args: readonly string[], options: RunOptions = {}): Promise<Result> =>
  run("kubectl", args, { env: await shell(), timeoutMs: 120_000, ...options });

export const apply = (manifest: unknown): Promise<string> =>
  kubectl(["apply", "-f", "-"], { input: JSON.stringify(manifest) });

export async function pulumi(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return run("pulumi", [...args, "--non-interactive"], { env: await shell(), timeoutMs: 300_000, ...options });
}

/** The stack as a check sees it; each call looks anew. */
export const standOf = async (stack: string): Promise<Stand> => new Stand(stack, await shell(), ROOT);

export const outputs = async (stack: string): Promise<Outputs> => (await standOf(stack)).outputs();

/** Declares the checks of `npm run verify` as tests; they run side by side, as they do there. */
export function itHolds(stack: string): void {
  let running: Promise<Outcome[]> | undefined;
  const outcomes = async (): Promise<Outcome[]> => runChecks(CHECKS, await standOf(stack));
  for (const [index, { id, title }] of CHECKS.entries()) {
    it(`[${id}] ${stack}: ${title}`, async function () {
      const { status, detail } = (await (running ??= outcomes()))[index] ?? {};
      if (status === "skip") this.skip();
      assert.equal(status, "pass", detail);
    });
  }
}

export const get = (url: string, method = "GET"): Promise<Answer> => ask(url, { method, headers: { accept: BROWSER } });

/** Waits until `look` gives a value, and gives it; the last failure is the reason when it never does. */
export async function eventually<T>(look: () => Promise<T>, timeoutMs: number): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(500);
    }
  }
}

/** A throw-away copy of the project, to change a line in. */
export async function copyOfProject(): Promise<string> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "platform-copy-"));
  const { out } = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  for (const file of out.split("\0").filter(Boolean)) {
    if (!fs.existsSync(path.join(ROOT, file))) continue;
    fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    fs.copyFileSync(path.join(ROOT, file), path.join(dir, file));
  }
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
  return dir;
}

const BUSYBOX_PORT = 8080;

/** A pod that passes the restricted profile, from the sandbox's busybox. */
export async function testPod(
  name: string,
  namespace: string,
  extra: { labels?: Record<string, string>; command?: string[]; volume?: string; node?: string } = {},
): Promise<ReturnType<typeof podManifest>> {
  const page = `mkdir -p /tmp/www; echo hello from ${name} >/tmp/www/index.html; exec httpd -f -p ${BUSYBOX_PORT} -h /tmp/www`;
  const pod = podManifest({
    name,
    namespace,
    image: image(readTarget(await shell()), "busybox"),
    labels: extra.labels ?? { test: name },
    command: extra.command ?? ["sh", "-c", page],
  });
  // A page that is served again after its node was off.
  Object.assign(pod.spec, { restartPolicy: "Always" });
  if (extra.node) Object.assign(pod.spec, { nodeName: extra.node });
  if (extra.volume) {
    pod.spec.containers[0].volumeMounts.push({ name: "data", mountPath: "/data" });
    pod.spec.volumes.push({ name: "data", persistentVolumeClaim: { claimName: extra.volume } });
  }
  return pod;
}

export const isReady = (pod: string, namespace: string): Promise<string> =>
  kubectl(["wait", "--for=condition=Ready", `pod/${pod}`, "-n", namespace, "--timeout=90s"]);

/** Whether a TCP connection from inside a pod comes about within three seconds. */
export async function canConnect(namespace: string, pod: string, host: string, port: number): Promise<boolean> {
  const { code } = await tryKubectl([
    "exec",
    "-n",
    namespace,
    pod,
    "--",
    "nc",
    "-w",
    "3",
    host,
    String(port),
    "-e",
    "true",
  ]);
  return code === 0;
}
