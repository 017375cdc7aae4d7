import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { writeDocument } from "../bench/document";
import { thisMachine } from "../bench/machine";
import { endRunning } from "../bench/measure";
import { HELP, type Options, readOptions } from "../bench/options";
import { ratiosOf } from "../bench/ratios";
import { type Report, shown } from "../bench/report";
import { run } from "../bench/run";
import { obtainContenders } from "../bench/tools";
import { endServers } from "../bench/server";
import { UsageError, fail } from "./errors";
import { ROOT } from "./session";

const say = (line: string): void => console.error(line);

async function measured({ sizes, trials }: Options): Promise<Report> {
  if (process.platform !== "linux")
    throw new UsageError("npm run bench starts an API server of its own, which takes Linux");
  const machine = thisMachine();
  const names = [...new Set(sizes.flatMap(({ contenders }) => contenders))];
  const { bin, contenders } = await obtainContenders(names, say);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "platform-bench-"));
  const cleanUp = (): void => {
    endRunning();
    endServers();
    fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    say(`interrupted: ending what was started`);
    cleanUp();
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", interrupted);
  process.on("SIGTERM", interrupted);
  try {
    const results = await run({ sizes, trials, contenders, bin, dir, say });
    const about = contenders.map(({ name, what, version, absent }) => ({ name, what, version, absent }));
    return { machine, trials, contenders: about, ratios: ratiosOf(results), results };
  } finally {
    cleanUp();
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", interrupted);
  }
}

function read(file: string): Report {
  if (!fs.existsSync(file))
    throw new UsageError(`--from ${file}: there is no such file; npm run bench -- --json makes one`);
  const report = JSON.parse(fs.readFileSync(file, "utf8")) as Report;
  return { ...report, ratios: ratiosOf(report.results) };
}

async function main(args: string[]): Promise<void> {
  const options = readOptions(args);
  if (options.help) return console.log(HELP);
  const report = options.from === undefined ? await measured(options) : read(options.from);
  console.log(options.json ? JSON.stringify(report, undefined, 2) : shown(report, options.cases));
  if (options.write) for (const file of writeDocument(ROOT, report)) say(`wrote ${path.relative(ROOT, file)}`);
}

main(process.argv.slice(2)).catch(fail);
