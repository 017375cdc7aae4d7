const WIDTH = 1200;
const HEIGHT = 1000;
/** The longest run of bytes in one block of a picture. */
const BLOCK = 255;
/** Codes have nine bits as long as the table they refer to is emptied in time. */
const CODE_BITS = 9;
const CLEAR = 256;
const END = 257;
const PIXELS_PER_TABLE = 250;

const number = (value: number): number[] => [value & 0xff, value >> 8];

/** A colour for each of 256 shades: from blue over white to red. */
const palette = (): number[] =>
  Array.from({ length: 256 }, (_, shade) => {
    const far = Math.min(255, Math.abs(shade - 128) * 2);
    return shade < 128 ? [255 - far, 255 - far, 255] : [255, 255 - far, 255 - far];
  }).flat();

/** Rings around the middle, which look good and pack badly. */
function shade(x: number, y: number): number {
  const [fromMiddleX, fromMiddleY] = [x - WIDTH / 2, y - HEIGHT / 2];
  return ((fromMiddleX * fromMiddleX + fromMiddleY * fromMiddleY) >> 8) & 0xff;
}

/** Nine bits at a time into bytes, in blocks with their length before them. */
class Packer {
  readonly #bytes: number[] = [];
  #held = 0;
  #bits = 0;

  add(code: number): void {
    this.#held |= code << this.#bits;
    this.#bits += CODE_BITS;
    while (this.#bits >= 8) {
      this.#bytes.push(this.#held & 0xff);
      this.#held >>= 8;
      this.#bits -= 8;
    }
  }

  blocks(): Buffer[] {
    if (this.#bits > 0) this.#bytes.push(this.#held & 0xff);
    const blocks: Buffer[] = [];
    for (let start = 0; start < this.#bytes.length; start += BLOCK) {
      const part = this.#bytes.slice(start, start + BLOCK);
      blocks.push(Buffer.from([part.length, ...part]));
    }
    return [...blocks, Buffer.from([0])];
  }
}

/** A picture of more than a mebibyte, the same each time, byte by byte. */
export function picture(): Buffer {
  const packer = new Packer();
  for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel++) {
    if (pixel % PIXELS_PER_TABLE === 0) packer.add(CLEAR);
    packer.add(shade(pixel % WIDTH, Math.floor(pixel / WIDTH)));
  }
  packer.add(END);
  const size = [...number(WIDTH), ...number(HEIGHT)];
  return Buffer.concat([
    Buffer.from("GIF89a"),
    // A table of 256 colours for the whole, the first behind everything, square pixels.
    Buffer.from([...size, 0xf7, 0, 0, ...palette()]),
    // One picture at the corner, as large as the whole; its bytes stand for 8 bits each.
    Buffer.from([0x2c, 0, 0, 0, 0, ...size, 0, 8]),
    ...packer.blocks(),
    Buffer.from(";"),
  ]);
}
