import { availableParallelism } from "node:os";
import { type Check, type Outcome, Skip } from "./check";

/** More would only take the processor from each other, and on a machine that also runs the cluster from what they look at. */
const AT_ONCE = Math.max(2, availableParallelism());

/** Runs checks side by side, as many at once as are let, and reports them in their order as soon as they are known. */
export async function runChecks<S>(
  checks: readonly Check<S>[],
  stand: S,
  { atOnce = AT_ONCE, report }: { readonly atOnce?: number; readonly report?: (outcome: Outcome) => unknown } = {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...checks.entries()];
  let reported = 0;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, check] = next;
      outcomes[index] = await judge(check, stand);
      for (let known = outcomes[reported]; known; known = outcomes[++reported]) report?.(known);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return outcomes;
}

async function judge<S>({ id, title, run }: Check<S>, stand: S): Promise<Outcome> {
  const started = Date.now();
  const outcome = (status: Outcome["status"], detail: string): Outcome => {
    const seconds = Math.round((Date.now() - started) / 100) / 10;
    return { id, title, status, seconds, detail };
  };
  try {
    return outcome("pass", (await run(stand)) ?? "");
  } catch (error) {
    return outcome(error instanceof Skip ? "skip" : "fail", error instanceof Error ? error.message : String(error));
  }
}

const SIGNS = { pass: "✓", fail: "✗", skip: "-" };

export function line({ id, title, status, seconds, detail }: Outcome): string {
  const head = `${SIGNS[status]} ${id.padEnd(7)} ${title} (${seconds.toFixed(1)} s)`;
  if (status === "fail") return [head, ...detail.split("\n").map((each) => `          ${each}`)].join("\n");
  return status === "skip" ? `${head}: ${detail}` : head;
}

export function summary(outcomes: readonly Outcome[]): string {
  const count = (wanted: Outcome["status"]): number => outcomes.filter(({ status }) => status === wanted).length;
  return `${count("pass")} passed, ${count("fail")} failed, ${count("skip")} skipped`;
}
