import { type Good, type History, named, rejectionOf } from "../components/lib/releases/record";
import { UsageError } from "./errors";

export type Histories = Readonly<Record<string, History>>;

/** The release to which an application goes back, as people know it. */
export function goesBackTo(stack: string, app: string, histories: Histories): string {
  const history = histories[app];
  if (!history)
    throw new UsageError(`${stack} has no application "${app}": it has ${Object.keys(histories).join(", ") || "none"}`);
  const [, ...earlier] = history.good;
  const target = earlier.find((each) => !rejectionOf(history, each, each.settings));
  if (!target) throw new UsageError(`${app} has no earlier release in ${stack} to go back to: nothing was done`);
  return named(target);
}

/** What each application runs, ran, and what was rejected. */
export function listOf(stack: string, histories: Histories): string {
  const lines = Object.entries(histories).flatMap(([app, { good, rejected }]) => [
    app,
    ...good.map((each, index) => `  ${index === 0 ? "runs    " : "ran     "} ${named(each)}${details(each)}`),
    ...rejected.map((each) => `  rejected ${named(each)} at ${each.at}: ${each.reason.split("\n")[0]}`),
  ]);
  return lines.length > 0 ? lines.join("\n") : `${stack} has recorded no release`;
}

function details({ healthySince, overrides = [] }: Good): string {
  const set = overrides.map(
    ({ guard, reason, by }) => `; guard "${guard}" set aside${by ? ` by ${by}` : ""}: ${reason}`,
  );
  return `${healthySince ? `, healthy since ${healthySince}` : ""}${set.join("")}`;
}
