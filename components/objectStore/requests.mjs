/** How MinIO is asked: requests with a signature (AWS version 4), and those of its administration, whose bodies it wants sealed. */
import crypto from "node:crypto";
import https from "node:https";

const REGION = "us-east-1";
const ROUNDS = 8192;
/** MinIO's number for a key by PBKDF2 and AES-256-GCM. */
const PBKDF2_AES_GCM = 2;
const LAST = 0x80;

const sha256 = (data) => crypto.createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => crypto.createHmac("sha256", key).update(data).digest();
const encoded = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

/** The headers of a request that is signed. `query` in any order. */
export function signed({ method, host, path, query = {}, body = "", login }) {
  const time = new Date().toISOString().replace(/[:-]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const headers = { host, "x-amz-content-sha256": sha256(body), "x-amz-date": time };
  const names = Object.keys(headers).sort();
  const asked = Object.entries(query)
    .map(([key, value]) => `${encoded(key)}=${encoded(value)}`)
    .sort()
    .join("&");
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join("");
  const canonical = [method, path, asked, lines, names.join(";"), headers["x-amz-content-sha256"]].join("\n");
  const scope = `${day}/${REGION}/s3/aws4_request`;
  const key = [day, REGION, "s3", "aws4_request"].reduce(hmac, `AWS4${login.password}`);
  const signature = hmac(key, ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n")).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${login.user}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { path: asked ? `${path}?${asked}` : path, headers: { ...headers, authorization } };
}

/** A short text as MinIO's administration takes it: one sealed piece under a key made of the asker's password. */
export function sealed(password, text) {
  const salt = crypto.randomBytes(32);
  const nonce = crypto.randomBytes(8);
  const key = crypto.pbkdf2Sync(password, salt, ROUNDS, 32, "sha256");
  const seal = (number, data, associated) => {
    const counter = Buffer.alloc(4);
    counter.writeUInt32LE(number);
    const cipher = crypto.createCipheriv("aes-256-gcm", key, Buffer.concat([nonce, counter])).setAAD(associated);
    return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
  };
  const first = seal(0, Buffer.alloc(0), Buffer.alloc(0));
  const only = seal(1, Buffer.from(text), Buffer.concat([Buffer.from([LAST]), first]));
  return Buffer.concat([salt, Buffer.from([PBKDF2_AES_GCM]), nonce, only]);
}

/** What is answered: the status, the text, and the code of an error. */
export function ask(endpoint, tls, login, { method, path, query, body }) {
  const { host } = new URL(endpoint);
  const request = signed({ method, host, path, query, body, login });
  return new Promise((done, fail) => {
    const sent = https.request(
      endpoint,
      { method, path: request.path, headers: request.headers, ...tls, timeout: 10_000, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => (text += chunk));
        response.on("error", fail);
        response.on("end", () => {
          const code = /<Code>(\w+)<|"Code":"(\w+)"/.exec(text);
          done({ status: response.statusCode, text, code: code?.[1] ?? code?.[2] });
        });
      },
    );
    sent.on("timeout", () => sent.destroy(new Error(`no answer from ${host} within 10 s`)));
    sent.on("error", fail);
    sent.end(body);
  });
}
