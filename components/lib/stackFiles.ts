import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { decoded } from "./config";
import type { Fields } from "./configReader";

/** What the files of all stacks say, by stack and by key without the project's prefix. */
export type StackFiles = Readonly<Record<string, Fields>>;

const FILE = /^Pulumi\.([a-z0-9-]+)\.yaml$/;
const PREFIX = "platform:";

/**
 * Read for what stacks have to know of each other. Each is checked by its own stack when that is brought up: here a value of the
 * wrong kind is one that is not there.
 */
export function readStackFiles(directory = "."): StackFiles {
  const found = fs.readdirSync(directory).flatMap((file) => {
    const stack = FILE.exec(file)?.[1];
    return stack ? [[stack, valuesIn(path.join(directory, file))] as const] : [];
  });
  return Object.fromEntries(found);
}

function valuesIn(file: string): Fields {
  let content: unknown;
  try {
    content = parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${path.basename(file)} cannot be read: ${(error as Error).message}`);
  }
  const entries = Object.entries(fieldsOf(fieldsOf(content).config));
  return Object.fromEntries(
    entries
      .filter(([key]) => key.startsWith(PREFIX))
      .map(([key, value]) => [key.slice(PREFIX.length), typeof value === "string" ? decoded(value) : value]),
  );
}

export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
