import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { picture } from "../src/gif";

/** Reads a picture as a browser would, and gives its size and how many of its points have which colour. */
function decoded(gif: Buffer): { width: number; height: number; points: Map<number, number> } {
  assert.equal(gif.toString("latin1", 0, 6), "GIF89a");
  assert.equal(gif[10], 0xf7, "a table of 256 colours");
  let at = 13 + 768;
  assert.equal(gif[at], 0x2c);
  const [width, height] = [gif.readUInt16LE(at + 5), gif.readUInt16LE(at + 7)];
  assert.equal(gif[at + 10], 8);
  at += 11;
  const data: Buffer[] = [];
  for (let length = gif[at] ?? 0; length > 0; length = gif[at] ?? 0) {
    data.push(gif.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  assert.equal(gif.toString("latin1", at + 1), ";");
  const bytes = Buffer.concat(data);
  const points = new Map<number, number>();
  let next = 258;
  for (let bit = 0; ; bit += 9) {
    const code = (((bytes[bit >> 3] ?? 0) | ((bytes[(bit >> 3) + 1] ?? 0) << 8)) >> (bit & 7)) & 0x1ff;
    if (code === 257) break;
    assert.ok(next < 512, "by then codes would have ten bits");
    if (code === 256) {
      next = 257;
      continue;
    }
    assert.ok(code < 256 && bit >> 3 < bytes.length);
    points.set(code, (points.get(code) ?? 0) + 1);
    next++;
  }
  return { width, height, points };
}

describe("the picture", () => {
  it("[004.8] has more than a mebibyte, and is the same each time", () => {
    assert.ok(picture().length > 2 ** 20);
    assert.ok(picture().equals(picture()));
  });

  it("is one that a browser can read, with all its points", () => {
    const { width, height, points } = decoded(picture());
    assert.equal(
      [...points.values()].reduce((sum, each) => sum + each),
      width * height,
    );
    assert.equal(points.size, 256);
  });
});
