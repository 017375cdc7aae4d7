import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "./testRun";

/** What tests came to. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** What broke off before it could count. */
export const BROKEN: Tally = { passed: 0, failed: 1, skipped: 0 };

interface Commands {
  /** Brings the application's own packages. */
  readonly prepare: readonly (readonly string[])[];
  readonly test: readonly string[];
  /** Finds a count in what the tests say: "12 passed", "pass 12". */
  readonly count: Readonly<Record<keyof Tally, RegExp>>;
}

const NODE: Commands = {
  prepare: [["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]],
  test: ["npm", "test", "--silent"],
  count: { passed: /^ℹ pass (\d+)$/m, failed: /^ℹ fail (\d+)$/m, skipped: /^ℹ skipped (\d+)$/m },
};

const PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];

const python = (interpreter: string): Commands => ({
  prepare: [
    [interpreter, "-m", "venv", ".venv"],
    [".venv/bin/python", ...PIP, "--require-hashes", "-r", "requirements-test.txt"],
  ],
  test: [".venv/bin/python", "-m", "pytest", "-q"],
  count: { passed: /^.*\b(\d+) passed/m, failed: /^.*\b(\d+) (?:failed|errors?)\b/m, skipped: /^.*\b(\d+) skipped/m },
});

const INTERPRETERS = ["python3.11", "python3.12", "python3.13", "python3"];
const IS_NEW = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

/** The tests of the application in a folder, with packages of its own, as its developers run them. */
export async function testApplication(cwd: string): Promise<Tally> {
  let out = "";
  const hear = (text: string): void => void (out += text);
  const tally = await tallyIn(cwd, hear, () => out);
  // They run side by side: what one says stays together.
  console.log(`\n== application ${path.basename(cwd)}\n${out.trimEnd()}`);
  return tally;
}

async function tallyIn(cwd: string, hear: (text: string) => void, heard: () => string): Promise<Tally> {
  const commands = fs.existsSync(path.join(cwd, "package.json")) ? NODE : await pythonCommands();
  if (!commands) {
    hear("skipped: needs Python 3.11 or newer, with venv and pip (on Debian python3-venv)");
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const started = (line: readonly string[]): Promise<number> => run(line[0] ?? "", line.slice(1), { cwd, hear });
  for (const line of commands.prepare) if ((await started(line)) !== 0) return BROKEN;
  const code = await started(commands.test);
  return tallyOf(heard(), code, commands.count);
}

/** Its last word counts: what tests print before may look like it. */
export function tallyOf(out: string, code: number, count: Commands["count"]): Tally {
  const found = (key: keyof Tally): number => Number([...out.matchAll(new RegExp(count[key], "gm"))].at(-1)?.[1] ?? 0);
  const tally = { passed: found("passed"), failed: found("failed"), skipped: found("skipped") };
  return code !== 0 && tally.failed === 0 ? BROKEN : tally;
}

export const COUNTS = { node: NODE.count, python: python("").count };

async function pythonCommands(): Promise<Commands | undefined> {
  for (const interpreter of INTERPRETERS)
    if ((await run(interpreter, ["-c", IS_NEW], { hear: () => undefined }).catch(() => 127)) === 0)
      return python(interpreter);
  return undefined;
}
