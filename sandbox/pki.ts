import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** Certificates of one sandbox, made with openssl once and kept: keys are readable by the owner only. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

const DAYS = "3650";

function openssl(args: string[], input?: string): void {
  execFileSync("openssl", args, { input, stdio: ["pipe", "ignore", "pipe"] });
}

const pairAt = (dir: string, name: string): Pair => ({
  cert: path.join(dir, `${name}.crt`),
  key: path.join(dir, `${name}.key`),
});

function newKey(file: string): void {
  openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file]);
  fs.chmodSync(file, 0o600);
}

export function authority(dir: string, name: string, commonName: string): Pair {
  const pair = pairAt(dir, name);
  if (fs.existsSync(pair.cert)) return pair;
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  newKey(pair.key);
  const unfinished = `${pair.cert}.new`;
  openssl([
    "req",
    "-x509",
    "-new",
    "-key",
    pair.key,
    "-sha256",
    "-days",
    DAYS,
    "-subj",
    `/CN=${commonName}`,
    "-out",
    unfinished,
  ]);
  fs.renameSync(unfinished, pair.cert);
  return pair;
}

export interface Request {
  readonly commonName: string;
  readonly organization?: string;
  /** "DNS:name" and "IP:address" entries. */
  readonly names?: readonly string[];
}

export function certificate(dir: string, name: string, ca: Pair, request: Request): Pair {
  const pair = pairAt(dir, name);
  if (fs.existsSync(pair.cert)) return pair;
  newKey(pair.key);
  const subject = `${request.organization ? `/O=${request.organization}` : ""}/CN=${request.commonName}`;
  const extensions = [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth,clientAuth",
    ...(request.names?.length ? [`subjectAltName=${request.names.join(",")}`] : []),
  ].join("\n");
  const csr = `${pair.cert}.csr`;
  const extensionFile = `${pair.cert}.ext`;
  const unfinished = `${pair.cert}.new`;
  fs.writeFileSync(extensionFile, extensions);
  openssl(["req", "-new", "-key", pair.key, "-subj", subject, "-out", csr]);
  const serial = `0x${Date.now().toString(16)}${Math.floor(Math.random() * 0xffffff).toString(16)}`;
  openssl([
    "x509",
    "-req",
    "-in",
    csr,
    "-CA",
    ca.cert,
    "-CAkey",
    ca.key,
    "-set_serial",
    serial,
    "-sha256",
    "-days",
    DAYS,
    "-extfile",
    extensionFile,
    "-out",
    unfinished,
  ]);
  fs.rmSync(csr);
  fs.rmSync(extensionFile);
  fs.renameSync(unfinished, pair.cert);
  return pair;
}

/** The key pair that signs service account tokens. */
export function signingKey(dir: string, name: string): { key: string; publicKey: string } {
  const key = path.join(dir, `${name}.key`);
  const publicKey = path.join(dir, `${name}.pub`);
  if (fs.existsSync(publicKey)) return { key, publicKey };
  newKey(key);
  openssl(["pkey", "-in", key, "-pubout", "-out", `${publicKey}.new`]);
  fs.renameSync(`${publicKey}.new`, publicKey);
  return { key, publicKey };
}

const base64 = (file: string): string => fs.readFileSync(file).toString("base64");

/** A kubeconfig for the cluster's own components, which read their client certificate from it. */
export function componentKubeconfig(server: string, ca: Pair, client: Pair): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "sandbox", cluster: { server, "certificate-authority-data": base64(ca.cert) } }],
    users: [
      {
        name: "client",
        user: { "client-certificate-data": base64(client.cert), "client-key-data": base64(client.key) },
      },
    ],
    contexts: [{ name: "sandbox", context: { cluster: "sandbox", user: "client" } }],
    "current-context": "sandbox",
  });
}
