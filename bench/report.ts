import { table } from "../toolchain/table";
import { type Machine } from "./machine";
import { PLEDGES, holds } from "./ratios";
import { CASES, type Case, type Result, cpuOf, cpuShares, medianOf, samplesOf } from "./results";
import { fitGrowth, spread } from "./statistics";

/** What one run says, as --json gives it. */
export interface Report {
  readonly machine: Machine;
  readonly trials: number;
  readonly contenders: readonly {
    readonly name: string;
    readonly what: string;
    readonly version?: string;
    readonly absent?: string;
  }[];
  readonly ratios: Readonly<Record<string, number | null>>;
  readonly results: readonly Result[];
}

type Rows = readonly (readonly string[])[];

/** What kubectl does in the place of a case that it does not have. */
const STANDS_FOR: Partial<Record<Case, Case>> = { previewNoopPack: "previewNoop" };

export const times = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)}×`;
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

const sizesOf = (results: readonly Result[]): number[] =>
  [...new Set(results.map(({ n }) => n))].filter((n) => n > 0).sort((a, b) => a - b);

const namesOf = (results: readonly Result[]): string[] => [...new Set(results.map(({ contender }) => contender))];

/** A median as a multiple of kubectl's for the same number of objects. */
export function toKubectl(results: readonly Result[], contender: string, what: Case, n: number): number | undefined {
  const own = medianOf(results, contender, what, n);
  const base = medianOf(results, "kubectl", STANDS_FOR[what] ?? what, n);
  return own === undefined || !base ? undefined : own / base;
}

export function pledgeRows({ ratios }: Report): Rows {
  return PLEDGES.map((pledge) => {
    const value = ratios[pledge.name] ?? undefined;
    const { most, least } = pledge.limit;
    const wanted = most === undefined ? `at least ${least}` : `at most ${most}`;
    const said = value === undefined ? "not measured" : holds(pledge, value) ? "holds" : "**missed**";
    return [pledge.name, pledge.says, wanted, value === undefined ? "–" : value.toFixed(2), said];
  });
}

/** Multiples of kubectl's time, with the spread of the contender's own samples. */
export function sizeRows({ results }: Report, n: number, cases: readonly Case[]): Rows {
  return namesOf(results).flatMap((contender) => {
    const cells = cases.map((what) => {
      const samples = samplesOf(results, contender, what, n);
      const ratio = toKubectl(results, contender, what, n);
      return samples && ratio !== undefined ? `${times(ratio)} ±${percent(spread(samples))}` : "–";
    });
    return cells.every((cell) => cell === "–") ? [] : [[contender, ...cells]];
  });
}

export function growthRows({ results }: Report, cases: readonly Case[]): Rows {
  return namesOf(results).flatMap((contender) =>
    cases.flatMap((what) => {
      const points = results
        .filter((result) => result.contender === contender && result.case === what && result.n > 0)
        .flatMap(({ n }) => ({ n, seconds: medianOf(results, contender, what, n) ?? 0 }));
      const growth = fitGrowth(points);
      if (!growth) return [];
      const most = Math.max(...points.map(({ n }) => n));
      const [fixed, linear, square] = [growth.a, growth.b * most, growth.c * most ** 2];
      const whole = fixed + linear + square;
      return [[contender, what, String(most), ...[fixed, linear, square].map((part) => percent(part / whole))]];
    }),
  );
}

export const memoryRows = ({ results }: Report, n: number): Rows =>
  namesOf(results).flatMap((contender) => {
    const peaks = results
      .filter((result) => result.contender === contender && result.n === n)
      .map((result) => result.peakBytes);
    return peaks.length === 0 ? [] : [[contender, `${(Math.max(...peaks) / 1e6).toFixed(0)} MB`]];
  });

/** What judging the objects adds to a preview, and what the other tools take for the same manifests. */
export function policyRows({ results }: Report, n: number): Rows {
  const [withPack, without] = [
    medianOf(results, "ours", "previewNoopPack", n),
    medianOf(results, "ours", "previewNoop", n),
  ];
  if (withPack === undefined || without === undefined) return [];
  const added = withPack - without;
  return namesOf(results).flatMap((contender) => {
    const seconds = medianOf(results, contender, "check", n);
    return seconds === undefined ? [] : [[contender, String(n), added > 0 ? times(seconds / added) : "–"]];
  });
}

/** Multiples of kubectl's processor time. */
export function cpuRows({ results }: Report, n: number, cases: readonly Case[]): Rows {
  return namesOf(results).flatMap((contender) => {
    const cells = cases.map((what) => {
      const own = cpuOf(results, contender, what, n);
      const base = cpuOf(results, "kubectl", STANDS_FOR[what] ?? what, n);
      return own === undefined || !base ? "–" : times(own / base);
    });
    return cells.every((cell) => cell === "–") ? [] : [[contender, ...cells]];
  });
}

/** Who uses the processor while our program is previewed and brought up. */
export function shareRows({ results }: Report, n: number, cases: readonly Case[]): Rows {
  const shares = cases.map((what) => cpuShares(results, "ours", what, n));
  const names = [...new Set(shares.flatMap((each) => Object.keys(each)))];
  const rows = names.map((name) => [name, ...shares.map((each) => percent(each[name] ?? 0))]);
  return rows.filter(([, ...cells]) => cells.some((cell) => cell !== "0 %"));
}

/** For the terminal: seconds as well, of this machine in this hour. */
export function shown(report: Report, cases: readonly Case[]): string {
  const { results, machine, trials, contenders } = report;
  const parts = [
    `${machine.cpus} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}, load ${machine.load} at the start; ${trials} trials`,
    ...[0, ...sizesOf(results)].map((n) => {
      const rows = results
        .filter((result) => result.n === n && cases.includes(result.case))
        .map(({ contender, case: what, seconds }) => {
          const ratio = toKubectl(results, contender, what, n);
          return [
            contender,
            what,
            `${(medianOf(results, contender, what, n) ?? 0).toFixed(2)} s`,
            `±${percent(spread(seconds))}`,
            ratio === undefined ? "–" : times(ratio),
          ];
        });
      return `${n} objects\n${table(["CONTENDER", "CASE", "MEDIAN", "SPREAD", "TO KUBECTL"], rows)}`;
    }),
    `growth, as shares of the largest\n${table(["CONTENDER", "CASE", "N", "FIXED", "LINEAR", "SQUARE"], growthRows(report, cases))}`,
    `memory, most of all cases\n${table(["CONTENDER", "PEAK"], memoryRows(report, Math.max(...sizesOf(results))))}`,
    `processor time of ours by program\n${table(["PROGRAM", ...KEY], shareRows(report, Math.max(...sizesOf(results)), KEY))}`,
    table(["RATIO", "OF", "LIMIT", "MEASURED", ""], pledgeRows(report)),
    ...contenders.flatMap(({ name, absent }) => (absent ? [`not measured: ${name}: ${absent}`] : [])),
  ];
  return parts.join("\n\n");
}

const KEY: readonly Case[] = ["first", "previewNoop", "previewNoopPack", "noop"];
const SHOWN: readonly Case[] = CASES.filter((what) => what !== "check");

const markdown = (head: readonly string[], rows: Rows): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

/** The generated part of docs/performance.md: nothing but ratios, because seconds are of one machine in one hour. */
export function written(report: Report, plots: readonly { readonly file: string; readonly title: string }[]): string {
  const { machine, trials, contenders, results } = report;
  const sizes = sizesOf(results);
  const largest = Math.max(...sizes);
  const everyone = sizes.filter((n) => medianOf(results, "plain", "first", n) !== undefined);
  const start = ["previewNoop", "previewNoopPack"] as const;
  const parts = [
    `One run: ${trials} trials on ${machine.cpus} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}, load ${machine.load} when it began.`,
    markdown(
      ["contender", "version", "what is run"],
      contenders.map(({ name, version = "–", what, absent }) => [
        name,
        version,
        absent ? `not measured: ${absent}` : what,
      ]),
    ),
    "### What was promised",
    markdown(["ratio", "of", "limit", "measured", ""], pledgeRows(report)),
    ...plots.map(({ file, title }) => `![${title}](${file})`),
    ...sizes.flatMap((n) => [
      `### ${n} objects, as multiples of kubectl`,
      markdown(["contender", ...SHOWN], sizeRows(report, n, SHOWN)),
    ]),
    "### Processor time of the tool itself, as a multiple of kubectl's",
    ...sizes.flatMap((n) => [`${n} objects:`, markdown(["contender", ...KEY], cpuRows(report, n, KEY))]),
    `### Where ours spends it, ${largest} objects`,
    markdown(["program", ...KEY], shareRows(report, largest, KEY)),
    "### Growth: shares of a + bN + cN² at the largest N",
    markdown(["contender", "case", "N", "a", "bN", "cN²"], growthRows(report, ["first", "previewNoop", "noop"])),
    "### Start: an empty program, as a multiple of ours",
    markdown(
      ["contender", ...start],
      ["ours", "plain"].map((contender) => [
        contender,
        ...start.map((what) => {
          const [own, base] = [medianOf(results, contender, what, 0), medianOf(results, "ours", "previewNoop", 0)];
          return own === undefined || !base ? "–" : times(own / base);
        }),
      ]),
    ),
    "### Policy: other tools, as multiples of what our pack adds to a preview",
    markdown(
      ["tool", "N", "to our pack"],
      everyone.flatMap((n) => policyRows(report, n)),
    ),
    `### Memory: the most of all cases, ${Math.max(...everyone, 0) || largest} objects`,
    markdown(["contender", "peak"], memoryRows(report, Math.max(...everyone, 0) || largest)),
  ];
  return parts.join("\n\n");
}

const BEGIN = "<!-- measured: npm run bench -- --write -->";
const END = "<!-- end of what was measured -->";

/** Puts what was measured between its marks; the words around it are a person's. */
export function replaced(document: string, measured: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from)
    throw new Error(`docs/performance.md lacks the lines "${BEGIN}" and "${END}", in this order`);
  return `${document.slice(0, from + BEGIN.length)}\n\n${measured}\n\n${document.slice(to)}`;
}
