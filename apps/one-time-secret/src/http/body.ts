import type { IncomingMessage } from "node:http";
import { Problem } from "./problem";

/** Room for the longest secret, also where every character of it had to be escaped. */
export const MAX_BODY = 128 * 1024;

export type Fields = Readonly<Record<string, unknown>>;

/** The object that a request carries as JSON. */
export async function fieldsOf(request: IncomingMessage): Promise<Fields> {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type))
    throw new Problem(415, "not_json", "Send the request as application/json, in UTF-8.", {
      headers: { Accept: "application/json" },
    });
  if (request.headers["content-encoding"])
    throw new Problem(415, "not_json", "Send the request without a content encoding.");
  return parse(await bytesOf(request));
}

/** What comes after too much is thrown away as it comes, by Node itself. */
async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = Number(request.headers["content-length"] ?? 0);
  const check = (): void => {
    if (size > MAX_BODY) throw new Problem(413, "too_large", `Send no more than ${MAX_BODY} bytes.`);
  };
  check();
  size = 0;
  return new Promise((resolve, reject) => {
    request.on("data", (part: Buffer) => {
      size += part.length;
      try {
        check();
        parts.push(part);
      } catch (problem) {
        request.removeAllListeners("data");
        reject(problem as Problem);
      }
    });
    request.on("end", () => resolve(Buffer.concat(parts)));
    request.on("close", () => reject(new Problem(400, "incomplete", "The request ended too early.")));
  });
}

function parse(bytes: Buffer): Fields {
  const malformed = new Problem(400, "malformed_json", "The body is not a JSON object.");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the body.
    throw malformed;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed;
  return value as Fields;
}
