import { createReadStream } from "node:fs";
import type { LayerEntry } from "./layer";

const BLOCK = 512;
const TYPE = { file: "0", hardlink: "1", symlink: "2", directory: "5", pax: "x" };

/** A tar archive of the entries, in their order, with every time at the epoch: equal entries give equal bytes. */
export async function* tar(entries: Iterable<LayerEntry>): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    yield* header(entry);
    if (entry.kind !== "file") continue;
    yield* content(entry);
    yield padding(entry.size);
  }
  yield Buffer.alloc(2 * BLOCK);
}

async function* content(entry: LayerEntry & { kind: "file" }): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(entry.content)) {
    yield entry.content;
    return;
  }
  const { file } = entry.content;
  let read = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    read += chunk.length;
    yield chunk;
  }
  if (read !== entry.size) {
    throw new Error(
      `${file} changed while /${entry.path} was written (${entry.size} bytes, then ${read}): run it again`,
    );
  }
}

function header(entry: LayerEntry): Buffer[] {
  const name = entry.kind === "directory" ? `${entry.path}/` : entry.path;
  const target = entry.kind === "symlink" || entry.kind === "hardlink" ? entry.target : "";
  const records = [...paxRecord("path", name), ...paxRecord("linkpath", target)];
  const size = entry.kind === "file" ? entry.size : 0;
  const main = block(name, target, TYPE[entry.kind], size, entry);
  if (records.length === 0) return [main];
  const extended = Buffer.concat(records);
  const plain = { mode: 0o644, uid: 0, gid: 0 };
  return [block("PaxHeader", "", TYPE.pax, extended.length, plain), extended, padding(extended.length), main];
}

/** A pax record where the fixed 100 ASCII bytes of the header do not hold the value, which counts its own length. */
function paxRecord(key: string, value: string): Buffer[] {
  if (value.length <= 100 && /^[\x00-\x7f]*$/.test(value)) return [];
  const body = Buffer.from(` ${key}=${value}\n`);
  let length = body.length + String(body.length).length;
  if (String(length).length !== String(body.length).length) length = body.length + String(length).length;
  return [Buffer.concat([Buffer.from(String(length)), body])];
}

function block(
  name: string,
  target: string,
  type: string,
  size: number,
  owner: { mode: number; uid: number; gid: number },
): Buffer {
  const head = Buffer.alloc(BLOCK);
  head.write(name, 0, 100);
  head.write(octal(owner.mode, 7), 100);
  head.write(octal(owner.uid, 7), 108);
  head.write(octal(owner.gid, 7), 116);
  head.write(octal(size, 11), 124);
  head.write(octal(0, 11), 136);
  head.fill(" ", 148, 156);
  head.write(type, 156);
  head.write(target, 157, 100);
  head.write("ustar\0" + "00", 257, "latin1");
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${octal(sum, 6)}\0 `, 148, "latin1");
  return head;
}

function octal(value: number, digits: number): string {
  const text = value.toString(8);
  if (text.length > digits) throw new Error(`${value} does not fit a tar header field of ${digits} octal digits`);
  return text.padStart(digits, "0");
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}
