/** The smallest file that passes for a static program: an ELF header without program headers, then a text to tell it by. */
export function staticProgram(text: string): Buffer {
  const header = Buffer.alloc(64);
  header.write("\x7fELF", 0, "latin1");
  header[4] = 2;
  header[5] = 1;
  header.writeUInt16LE(56, 54);
  return Buffer.concat([header, Buffer.from(text)]);
}

/** One that names a loader, and so cannot run without libraries. */
export function dynamicProgram(loader: string): Buffer {
  const file = Buffer.alloc(64 + 56 + loader.length + 1);
  staticProgram("").copy(file);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(3, 64);
  file.writeBigUInt64LE(120n, 72);
  file.writeBigUInt64LE(BigInt(loader.length + 1), 96);
  file.write(loader, 120, "latin1");
  return file;
}
