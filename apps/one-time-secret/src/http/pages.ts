import { readFileSync } from "node:fs";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};
/** Beside src and beside dist. */
const FOLDER = join(__dirname, "../../public");

export interface Page {
  type: string;
  body: Buffer;
}

/** A file of public/, read once. */
export const page = (file: string): Page => ({
  type: TYPES[extname(file)] ?? "application/octet-stream",
  body: readFileSync(join(FOLDER, file)),
});
