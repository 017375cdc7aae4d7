import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Endpoint } from "../src/settings";

export const NAME = "web.dev.example";

/** Servers that answer as a test says, and a folder; all of it goes with `strike`. */
export class Scene {
  readonly dir = mkdtempSync(join(tmpdir(), "status-"));
  readonly #closing: (() => void)[] = [];

  /** A server whose answer may change; gives its port. */
  async serve(answer: RequestListener, tls?: { readonly key: string; readonly cert: string }): Promise<number> {
    const server = tls ? createHttps(tls, answer) : createHttp(answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#closing.push(() => (server.closeAllConnections(), server.close()));
    return (server.address() as AddressInfo).port;
  }

  /** A certificate for NAME that vouches for itself. */
  certificate(): { key: string; cert: string } {
    const [key, cert] = [join(this.dir, "key.pem"), join(this.dir, "cert.pem")];
    const subject = ["-subj", `/CN=${NAME}`, "-addext", `subjectAltName=DNS:${NAME}`];
    const form = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    execFileSync("openssl", ["req", ...form, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  }

  strike(): void {
    for (const close of this.#closing) close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export const endpoint = (port: number, name = "web", environment = "dev"): Endpoint => ({
  environment,
  name,
  url: new URL("http://127.0.0.1/readyz"),
  connect: { host: "127.0.0.1", port },
});

/** A port where nothing listens any more. */
export async function closedPort(): Promise<number> {
  const server = createHttp();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function eventually(
  what: string,
  look: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await Promise.resolve(look()).catch(() => false))) {
    if (Date.now() > end) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
