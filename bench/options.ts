import { parseArgs } from "node:util";
import { UsageError } from "../commands/errors";
import { CASES, type Case } from "./results";
import { CONTENDERS, type Name } from "./tools";

/** How many objects, and who is measured with them. */
export interface Size {
  readonly n: number;
  readonly contenders: readonly Name[];
}

export interface Options {
  readonly sizes: readonly Size[];
  readonly trials: number;
  readonly cases: readonly Case[];
  readonly json: boolean;
  readonly write: boolean;
  readonly help: boolean;
  /** Results of an earlier run, shown or written anew instead of a run. */
  readonly from?: string;
}

export const HELP = `npm run bench [-- --n SIZES] [--trials COUNT] [--contenders NAMES] [--cases NAMES] [--quick] [--json] [--write]

Measures this project's way with Pulumi beside the tools that a user would pick instead: the same objects, on a fresh API
server on loopback, contenders in turns. Prints medians, spread and ratios; progress goes to stderr. Tools that are not here
are built or installed first, into the platform's cache.

  --n SIZES           how many objects (default 30,100,300,1000); 1000:ours+kubectl measures only those with a thousand
  --trials COUNT      how often each is measured (default 5)
  --contenders NAMES  of ${CONTENDERS.join(", ")}
  --cases NAMES       what is shown (default all), of ${CASES.join(", ")}. What leads to a case is still done, and
                      so is its time known to --json
  --quick             once, with 30 objects: shows that everything works, and nothing about speed
  --json              versions, machine, every sample and the ratios, on stdout
  --write             write docs/performance.md's table and plots
  --from FILE         no run: take what an earlier one gave with --json`;

const list = (text: string): string[] => text.split(",").filter(Boolean);
const MOST = 5000;

export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      n: { type: "string", default: "30,100,300,1000" },
      trials: { type: "string", default: "5" },
      contenders: { type: "string", default: CONTENDERS.join(",") },
      cases: { type: "string", default: CASES.join(",") },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      from: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const faults: string[] = [];
  const known = <T extends string>(option: string, found: readonly string[], allowed: readonly T[]): T[] => {
    const unknown = found.filter((each) => !(allowed as readonly string[]).includes(each));
    if (unknown.length > 0 || found.length === 0)
      faults.push(`--${option}: found ${unknown.join(", ") || "nothing"}, allowed are ${allowed.join(", ")}`);
    return allowed.filter((each) => found.includes(each));
  };
  const whole = (option: string, text: string, most: number): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > most)
      faults.push(`--${option}: found "${text}", allowed are whole numbers from 1 to ${most}`);
    return value;
  };
  const everyone = known("contenders", list(values.contenders), CONTENDERS);
  const sizes = list(values.quick ? "30" : values.n).map((text) => {
    const [count = "", only] = text.split(":");
    const chosen = only === undefined ? everyone : known("n", only.split("+"), CONTENDERS);
    return { n: whole("n", count, MOST), contenders: chosen.filter((name) => everyone.includes(name)) };
  });
  if (sizes.length === 0) faults.push("--n: found nothing, allowed is a list such as 30,300");
  const cases = known("cases", list(values.cases), CASES);
  const trials = whole("trials", values.quick ? "1" : values.trials, 100);
  if (faults.length > 0) throw new UsageError(faults.join("\n"));
  const { json, write, help, from } = values;
  return { sizes, trials, cases, json, write, help, ...(from === undefined ? {} : { from }) };
}
