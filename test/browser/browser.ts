import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Duplex, Readable } from "node:stream";
import { DevTools } from "./devtools";
import { Page } from "./page";

export interface Launch {
  /** Chromium, or Google's Chrome. */
  readonly program: string;
  /** Names and the addresses they stand for. No other name is known, but 127.0.0.1. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Keys of servers that need no authority that the browser knows, as keyPin gives them. */
  readonly pins?: readonly string[];
}

const CLOSE_MS = 5000;

interface Start extends Omit<Launch, "program"> {
  readonly profile: string;
  /** Behind the browser's own walls around each page. */
  readonly walled: boolean;
}

/** Nothing but what a page itself asks for goes over the network, and what is drawn is the same everywhere. */
export function flags({ hosts = {}, pins = [], profile, walled }: Start): string[] {
  const rules = Object.entries(hosts).map(([host, address]) => `MAP ${host} ${address}`);
  return [
    "--headless",
    "--remote-debugging-pipe",
    `--user-data-dir=${profile}`,
    `--host-resolver-rules=${[...rules, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"].join(", ")}`,
    ...(pins.length > 0 ? [`--ignore-certificate-errors-spki-list=${pins.join(",")}`] : []),
    "--no-proxy-server",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-gpu",
    // A container's shared memory is often too small.
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    ...(walled ? [] : ["--no-sandbox"]),
  ];
}

/** Root has no use for the walls, they refuse it; and on Linux they are made of namespaces, which a machine may forbid. */
function canBeWalled(): boolean {
  if (process.getuid?.() === 0) return false;
  return process.platform !== "linux" || spawnSync("unshare", ["--map-root-user", "--net", "true"]).status === 0;
}

/** A browser without a window, with a profile of its own that goes with it. */
export class Browser {
  private constructor(
    private readonly child: ChildProcess,
    private readonly devtools: DevTools,
    private readonly profile: string,
    private readonly gone: Promise<void>,
    private readonly onExit: () => void,
  ) {}

  static async launch({ program, ...rest }: Launch): Promise<Browser> {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), "platform-browser-"));
    const child = spawn(program, flags({ ...rest, profile, walled: canBeWalled() }), {
      // A group of its own: it starts many processes, and all have to end.
      detached: true,
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      env: { PATH: process.env.PATH, HOME: profile, XDG_CACHE_HOME: profile, TZ: "UTC", LANG: "C.UTF-8" },
    });
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2000)));
    const devtools = new DevTools(child.stdio[3] as Duplex, child.stdio[4] as Readable);
    const gone = new Promise<void>((done) => {
      const ended = (how: string): void => {
        devtools.end(new Error(`the browser ended (${how}): ${said.trim() || program}`));
        done();
      };
      child.on("error", (error) => ended(error.message));
      child.on("close", (code, signal) => ended(String(signal ?? code)));
    });
    const onExit = (): void => endGroup(child);
    process.on("exit", onExit);
    const browser = new Browser(child, devtools, profile, gone, onExit);
    try {
      await devtools.send("Browser.getVersion");
      return browser;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  /** An address in a page that shares nothing with the others: somebody else's browser. */
  async open(url: string): Promise<Page> {
    const page = await Page.create(this.devtools);
    await page.goto(url);
    return page;
  }

  async close(): Promise<void> {
    this.devtools.send("Browser.close").catch(() => undefined);
    const timer = setTimeout(() => endGroup(this.child), CLOSE_MS);
    await this.gone;
    clearTimeout(timer);
    endGroup(this.child);
    process.off("exit", this.onExit);
    fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
