import { X509Certificate, createHash } from "node:crypto";
import * as tls from "node:tls";

/** Names a server's key as browsers do: whoever shows a certificate for it has to have the key. */
export function keyPin(certificate: Buffer | string): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

export interface Door {
  readonly address: string;
  readonly port: number;
  /** Authorities to trust, PEM. */
  readonly authority: string;
}

/** The key behind a host, once its certificate has been found good: by the authority, for that host, not expired. */
export function verifiedPin(host: string, { address, port, authority }: Door): Promise<string> {
  return new Promise((done, fail) => {
    const socket = tls.connect({ host: address, port, servername: host, ca: authority, timeout: 10_000 });
    socket.on("secureConnect", () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      done(keyPin(raw));
    });
    socket.on("timeout", () => socket.destroy(new Error(`${host} (${address}:${port}): no answer in 10 s`)));
    socket.on("error", fail);
  });
}
