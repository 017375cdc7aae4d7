import { createHash, createHmac } from "node:crypto";
import type { StoreSettings } from "./settings";

const sha256 = (data: string): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** Of nothing, which is what a request without a body holds. */
export const EMPTY = sha256("");

/** As S3 wants names of objects in a path, and in what is signed. */
export const pathOf = (bucket: string, key: string): string => `/${[bucket, ...key.split("/")].map(encoded).join("/")}`;

const encoded = (part: string): string =>
  encodeURIComponent(part).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

export interface Asked {
  method: string;
  path: string;
  /** With names in lower case. */
  headers?: Readonly<Record<string, string>>;
  /** Hash of the body. */
  hash?: string;
}

/** The headers with which a request proves who sent it: AWS' signature, version 4. All of them are signed. */
export function signed(
  { endpoint, region, user, password }: StoreSettings,
  { method, path, headers = {}, hash = EMPTY }: Asked,
  now = new Date(),
): Record<string, string> {
  const time = now.toISOString().replace(/[:-]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const all: Record<string, string> = {
    ...headers,
    host: endpoint.host,
    "x-amz-content-sha256": hash,
    "x-amz-date": time,
  };
  const names = Object.keys(all).sort();
  const lines = names.map((name) => `${name}:${all[name]?.trim()}\n`).join("");
  const canonical = [method, path, "", lines, names.join(";"), hash].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const key = [region, "s3", "aws4_request"].reduce(hmac, hmac(`AWS4${password}`, day));
  const signature = hmac(key, ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n")).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${user}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { ...all, authorization };
}
