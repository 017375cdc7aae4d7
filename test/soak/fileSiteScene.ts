import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as https from "node:https";
import * as os from "node:os";
import * as path from "node:path";
import { parseDocument } from "yaml";
import { objectStoreChecks } from "../../checks/objectStore";
import { runChecks } from "../../checks/runner";
import { Stand } from "../../checks/stand";
import { readTarget } from "../../components/lib/target";
import { certificate } from "../../sandbox/pki";
import { type Outputs, type Result, copyOfProject, kubectl, outputs, pulumi, shell } from "../live/world";

export const STACK = "dev";
export const DATA = `${STACK}-data`;
export const APPS = `${STACK}-apps`;
export const APP = "file-site";
export const STORE = `object-store.${DATA}.svc.cluster.local`;

const ENTRY = {
  source: `apps/${APP}`,
  port: 3000,
  host: "files",
  metrics: true,
  bucket: { access: "read", load: ["node", "dist/load.js"] },
  autoscale: { min: 1, max: 3, cpu: 60 },
};

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** The stack with an object store in it, and the site that serves a bucket of it. */
export class FileSiteScene {
  private edge!: Outputs["edge"];

  private constructor(private readonly copy: string) {}

  static make = async (): Promise<FileSiteScene> => new FileSiteScene(await copyOfProject());

  /** In one update, on an environment that has neither. */
  async up(store: object): Promise<void> {
    const file = path.join(this.copy, `Pulumi.${STACK}.yaml`);
    const settings = parseDocument(fs.readFileSync(file, "utf8"));
    settings.setIn(["config", "platform:objectStore"], store);
    settings.setIn(["config", "platform:apps", APP], ENTRY);
    fs.writeFileSync(file, settings.toString());
    await this.update();
    this.edge = (await outputs(STACK)).edge;
  }

  async update(...flags: string[]): Promise<void> {
    await succeeds(pulumi(["up", "-s", STACK, "--yes", "--skip-preview", ...flags], { cwd: this.copy }));
  }

  unchanged = (): Promise<void> => this.update("--expect-no-changes");

  /** As the committed stack file has it. */
  async end(): Promise<void> {
    fs.rmSync(this.copy, { recursive: true, force: true });
    await succeeds(pulumi(["up", "-s", STACK, "--yes", "--skip-preview"]));
  }

  stand = async (): Promise<Stand> => new Stand(STACK, await shell(), this.copy);

  /** What `npm run verify` would say of it. */
  async verified(): Promise<void> {
    const outcomes = await runChecks(objectStoreChecks, await this.stand(), { atOnce: 1 });
    assert.deepEqual(
      outcomes.filter(({ status }) => status !== "pass"),
      [],
    );
  }

  /** As a visitor would, through the edge. */
  ask(where: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Reply> {
    const { address, certificateAuthority: ca, hosts } = this.edge;
    const host = new URL(hosts[APP] ?? "").hostname;
    return new Promise((done, fail) => {
      const request = https.request(
        {
          host: address,
          servername: host,
          method,
          path: where,
          headers: { host, ...headers },
          ca,
          agent: false,
          timeout: 20_000,
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", fail);
          response.on("end", () =>
            done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
          );
        },
      );
      request.on("timeout", () => request.destroy(new Error("no answer in 20 s")));
      request.on("error", fail);
      request.end();
    });
  }
}

async function succeeds(command: Promise<Result>): Promise<void> {
  const { code, all } = await command;
  assert.equal(code, 0, all);
}

/** What the keeper, which may go to the store, hears there with a certificate that comes by its standard input. */
const STRANGER = `
const { cert, key, host } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const ca = require("fs").readFileSync("/etc/object-store/ca.crt");
const socket = require("tls").connect({ host, port: 9000, servername: host, ca, cert, key });
let text = "";
socket.on("data", (data) => (text += data));
socket.on("error", (error) => console.log(error.code));
socket.on("close", () => text && console.log(text.split("\\r\\n")[0]));
socket.write("GET / HTTP/1.1\\r\\nHost: " + host + "\\r\\nConnection: close\\r\\n\\r\\n");`;

/** A certificate of the platform's own authority, as every server has one, shown to the store. */
export async function heardWithAnotherCertificate(): Promise<string> {
  const { authority } = readTarget(await shell());
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stranger-"));
  try {
    const ca = { cert: authority?.certificateFile ?? "", key: authority?.keyFile ?? "" };
    const { cert, key } = certificate(dir, "stranger", ca, { commonName: "stranger" });
    const input = JSON.stringify({
      cert: fs.readFileSync(cert, "utf8"),
      key: fs.readFileSync(key, "utf8"),
      host: STORE,
    });
    const at = ["exec", "-i", "-n", DATA, "deploy/object-store-keeper", "-c", "keeper", "--"];
    return (await kubectl([...at, "node", "-e", STRANGER], { input })).trim();
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

/** Counts, by port, what goes over every interface here: records of TLS, and words that only plain text has. */
const CAPTURE = `
import json, socket, sys, time
ports = [int(each) for each in sys.argv[2:]]
words = [b"HTTP/1.1", b"GIF89a", b"AWS4-HMAC-SHA256"]
seen = {port: {"tls": 0, "plain": 0} for port in ports}
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
wire.settimeout(0.2)
print("listening", flush=True)
end = time.time() + float(sys.argv[1])
while time.time() < end:
    try:
        frame = wire.recv(1 << 17)
    except socket.timeout:
        continue
    if frame[12:14] != b"\\x08\\x00" or frame[23] != 6:
        continue
    tcp = 14 + (frame[14] & 15) * 4
    pair = [int.from_bytes(frame[at:at + 2], "big") for at in (tcp, tcp + 2)]
    data = frame[tcp + (frame[tcp + 12] >> 4) * 4:]
    for port in ports:
        if port in pair and data:
            seen[port]["tls"] += data[:2] in (b"\\x17\\x03", b"\\x16\\x03")
            seen[port]["plain"] += any(word in data for word in words)
print(json.dumps(seen))
`;

/** The process of the site on this machine, whose pods share its list of processes. */
function siteProcess(): string {
  const found = fs.readdirSync("/proc").filter((each) => {
    if (!/^\d+$/.test(each)) return false;
    try {
      const read = (file: string): string => fs.readFileSync(`/proc/${each}/${file}`, "latin1");
      return read("cmdline").includes("dist/main.js") && read("environ").includes("\0S3_BUCKET=");
    } catch {
      return false;
    }
  });
  assert.ok(found[0], "no process of the site on this machine");
  return found[0];
}

export type Seen = Readonly<Record<number, { readonly tls: number; readonly plain: number }>>;

/** What can be read on the site's wire while something is done. */
export async function whileListening(ports: readonly number[], work: () => Promise<unknown>): Promise<Seen> {
  const args = ["-t", siteProcess(), "-n", "python3", "-c", CAPTURE, "8", ...ports.map(String)];
  const child = spawn("nsenter", args, { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  const over = once(child, "close");
  await Promise.race([once(child.stdout, "data"), over]);
  await work();
  await over;
  return JSON.parse(out.trim().split("\n").at(-1) ?? "{}") as Seen;
}
