import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const APP = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
/** Of the official image, and of Debian's packages. */
const USUAL = ["/usr/local/apache2/bin/httpd", "/usr/sbin/apache2"];

const modulesOf = (program) =>
  [join(dirname(program), "../modules"), join(dirname(program), "../lib/apache2/modules")].find(existsSync);

/** Where Apache is, or why tests that need it are skipped. */
export function apacheProgram() {
  const path = process.env.HTTPD ?? USUAL.find(existsSync) ?? "apache2";
  try {
    execFileSync(path, ["-v"], { stdio: "ignore" });
    return { path, skip: false };
  } catch {
    return { path, skip: `cannot run ${path}: install apache2-bin, or name the program in HTTPD` };
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

const accepts = (port) =>
  new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => done(true)).on("error", () => done(false));
    socket.on("connect", () => socket.destroy());
  });

/** The real server with the real configuration, as the image starts it. */
export class Apache {
  #run = mkdtempSync(join(tmpdir(), "notes-page-"));
  #process;

  static async start(program, env = {}) {
    const apache = new Apache();
    apache.port = await freePort();
    await apache.#start(program, env);
    return apache;
  }

  async #start(program, env) {
    const root = join(this.#run, "root");
    mkdirSync(root);
    symlinkSync(modulesOf(program), join(root, "modules"));
    const defined = { ROOT: APP, PORT: this.port, RUN: this.#run };
    const define = Object.entries(defined).flatMap(([name, value]) => ["-C", `Define ${name} ${value}`]);
    const args = ["-d", root, ...define, "-f", join(APP, "httpd.conf"), "-D", "FOREGROUND"];
    const { PATH, LD_LIBRARY_PATH } = process.env;
    // It opens its standard error by name, which a socket has none of.
    const log = join(this.#run, "log");
    const stdio = ["ignore", "ignore", openSync(log, "w")];
    this.#process = spawn(program, args, { env: { PATH, LD_LIBRARY_PATH, ...env }, stdio });
    for (let tries = 0; !(await accepts(this.port)); tries++) {
      if (tries > 100) throw new Error(`Apache does not start: ${readFileSync(log, "utf8")}`);
      await sleep(50);
    }
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Bytes of all its processes that they share with nobody. */
  memory() {
    const pids = [this.#process.pid, ...execFileSync("pgrep", ["-P", this.#process.pid]).toString().trim().split("\n")];
    const sums = execFileSync(
      "cat",
      pids.map((pid) => `/proc/${pid}/smaps_rollup`),
    ).toString();
    return [...sums.matchAll(/^Private_Dirty:\s+(\d+) kB$/gm)].reduce((sum, [, kib]) => sum + Number(kib) * 1024, 0);
  }

  async stop(signal = "SIGWINCH") {
    const ended = once(this.#process, "exit");
    this.#process.kill(signal);
    const [code] = await ended;
    rmSync(this.#run, { recursive: true, force: true });
    return code;
  }
}

/** What comes for these bytes until the server hangs up; the end of the headers may come later. */
export function raw(port, bytes, restAfterMs) {
  return new Promise((done) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    if (restAfterMs) setTimeout(() => socket.write("\r\n"), restAfterMs);
    socket.setTimeout(15_000, () => socket.destroy());
    socket.on("data", (data) => (answer += data)).on("error", () => {});
    socket.on("close", () => done(answer));
  });
}
