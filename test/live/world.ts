import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The cluster that all live suites share, and the ways to look at it from outside. */
export const ROOT = path.resolve(__dirname, "..", "..");
export const NAME = process.env.PLATFORM_TEST_SANDBOX ?? "test";
const TSX = require.resolve("tsx/cjs");

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly all: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs a command to its end; a run over its time is killed and says so. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: options.env ?? process.env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    let all = "";
    const timer = setTimeout(() => {
      err += `\n(killed after ${options.timeoutMs} ms)`;
      child.kill("SIGKILL");
    }, options.timeoutMs ?? 600_000);
    child.stdout.on("data", (data: Buffer) => ((out += data.toString()), (all += data.toString())));
    child.stderr.on("data", (data: Buffer) => ((err += data.toString()), (all += data.toString())));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("error", fail);
    child.on("close", (code) => {
      clearTimeout(timer);
      done({ code: code ?? 137, out, err, all });
    });
  });
}

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

export interface Outputs {
  readonly endpoints: Record<string, string>;
  readonly releases: Record<string, { image: string }>;
  readonly edge: { address: string; hosts: Record<string, string>; certificateAuthority: string };
}

export async function outputs(stack: string): Promise<Outputs> {
  const { out } = await pulumi(["stack", "output", "-s", stack, "--json"]);
  return JSON.parse(out) as Outputs;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export function get(url: string, method = "GET"): Promise<Answer> {
  return new Promise((done, fail) => {
    const request = http.request(
      url,
      { method, timeout: 5000, agent: false, headers: { accept: "text/html, */*;q=0.8" } },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (body += chunk));
        response.on("end", () => done({ status: response.statusCode ?? 0, body }));
      },
    );
    request.on("timeout", () => request.destroy(new Error(`${url}: no answer in 5 s`)));
    request.on("error", fail);
    request.end();
  });
}

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
): Promise<unknown> {
  const target = JSON.parse(fs.readFileSync((await shell()).PLATFORM_TARGET ?? "", "utf8")) as {
    images: Record<string, string>;
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: extra.labels ?? { test: name } },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      ...(extra.node ? { nodeName: extra.node } : {}),
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        fsGroup: 65532,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [
        {
          name: "main",
          image: target.images.busybox,
          command: extra.command ?? [
            "sh",
            "-c",
            `mkdir -p /tmp/www; echo hello from ${name} >/tmp/www/index.html; exec httpd -f -p ${BUSYBOX_PORT} -h /tmp/www`,
          ],
          resources: { requests: { cpu: "5m", memory: "16Mi" }, limits: { cpu: "200m", memory: "32Mi" } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          volumeMounts: [
            { name: "tmp", mountPath: "/tmp" },
            ...(extra.volume ? [{ name: "data", mountPath: "/data" }] : []),
          ],
        },
      ],
      volumes: [
        { name: "tmp", emptyDir: {} },
        ...(extra.volume ? [{ name: "data", persistentVolumeClaim: { claimName: extra.volume } }] : []),
      ],
    },
  };
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
