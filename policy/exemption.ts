import { type Finding, formatBreach } from "./rules/finding";
import { RULE_IDS } from "./rules/index";
import { quote } from "./rules/manifest";

/** Fields left out match everything; `*` stands for any run of characters. */
export interface Target {
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly container?: string;
}

export interface Exemption {
  readonly rule: string;
  readonly target: Target;
  readonly reason: string;
  readonly owner: string;
  /** Last day on which it holds, as YYYY-MM-DD, in UTC. */
  readonly until: string;
}

const DAY = 24 * 60 * 60 * 1000;
/** After more than a year nobody comes back to ask whether it is still needed. */
const LONGEST_DAYS = 400;
const TARGET_FIELDS = ["kind", "namespace", "name", "container"] as const;

export function lastMoment(until: unknown): number | undefined {
  if (typeof until !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(until)) return undefined;
  const start = new Date(`${until}T00:00:00Z`);
  // Date rolls 31 February over into March: such a day is a typing error, not a date.
  const real = !Number.isNaN(start.getTime()) && start.toISOString().startsWith(until);
  return real ? start.getTime() + DAY : undefined;
}

interface Wrong {
  readonly field: string;
  readonly found: unknown;
  readonly allowed: string;
}

function wrongIn(exemption: Exemption | null, now: Date): Wrong[] {
  const wrong: Wrong[] = [];
  const need = (field: string, found: unknown, allowed: string): void => void wrong.push({ field, found, allowed });
  if (typeof exemption !== "object" || exemption === null)
    return [{ field: "", found: exemption, allowed: "an object with rule, target, reason, owner and until" }];
  if (!RULE_IDS.includes(exemption.rule)) need("rule", exemption.rule, `one of ${RULE_IDS.join(", ")}`);
  for (const field of ["reason", "owner"] as const) {
    const value: unknown = exemption[field];
    if (typeof value !== "string" || value.trim() === "") need(field, value, "a sentence that says it");
  }
  const last = lastMoment(exemption.until);
  const latest = new Date(now.getTime() + LONGEST_DAYS * DAY);
  if (last === undefined) need("until", exemption.until, "a day as YYYY-MM-DD");
  else if (last > latest.getTime() + DAY)
    need("until", exemption.until, `at most ${LONGEST_DAYS} days ahead: ${latest.toISOString().slice(0, 10)}`);
  const target: unknown = exemption.target;
  const named = typeof target === "object" && target !== null ? Object.entries(target) : [];
  const sound = named.every(
    ([field, value]) =>
      (TARGET_FIELDS as readonly string[]).includes(field) && typeof value === "string" && value !== "",
  );
  if (named.length === 0 || !sound) need("target", target, `one or more of ${TARGET_FIELDS.join(", ")}, each a text`);
  return wrong;
}

/** A violation in the list itself, which names its file and its place there. */
export interface Faulty {
  readonly file: string;
  readonly index: number;
  readonly finding: Finding;
}

export interface Listed {
  /** Those that hold until their last day. */
  readonly exemptions: readonly Exemption[];
  readonly faulty: readonly Faulty[];
}

/** An exemption that nobody can judge later waives nothing and breaks a rule itself, so that none is forgotten. */
export function listed(all: readonly Exemption[], file: string, now: Date): Listed {
  const wrong = all.map((exemption) => wrongIn(exemption, now));
  const faulty = wrong.flatMap((faults, index) =>
    faults.map(({ field, found, allowed }): Faulty => {
      const rule: unknown = (all[index] as Partial<Exemption> | null)?.rule;
      const finding: Finding = {
        rule: "exemption",
        level: "mandatory",
        controls: [],
        object: { kind: "Exemption", name: typeof rule === "string" ? rule : "(without a rule)" },
        path: [`exemptions[${index}]`, ...(field === "" ? [] : [field])].join("."),
        found: `is ${quote(found)}`,
        allowed,
        fix: `correct it in ${file}, or remove the exemption`,
        unwaivable: true,
      };
      return { file, index, finding };
    }),
  );
  return { exemptions: all.filter((_, index) => wrong[index]?.length === 0), faulty };
}

export function fits(pattern: string | undefined, value: string | undefined): boolean {
  if (pattern === undefined) return true;
  if (value === undefined) return false;
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(value);
}

function covers(exemption: Exemption, finding: Finding): boolean {
  const { target } = exemption;
  return (
    exemption.rule === finding.rule &&
    fits(target.kind, finding.object.kind) &&
    fits(target.namespace, finding.object.namespace) &&
    fits(target.name, finding.object.name) &&
    fits(target.container, finding.container)
  );
}

export function formatWaiver(finding: Finding, by: Exemption): string {
  return `waived until ${by.until} by ${by.owner} (${by.reason}): ${formatBreach(finding)}`;
}

function formatExemption({ rule, target, until, owner, reason }: Exemption): string {
  const place = Object.entries(target).map(([field, value]) => `${field} ${value}`);
  return `the exemption of ${place.join(", ")} from ${rule} until ${until} by ${owner} (${reason})`;
}

/** One line for each that waived nothing. Another stack may need it: whoever reads of it in all of them removes it. */
export const formatUnused = (all: readonly Exemption[], used: readonly Exemption[]): string[] =>
  all.filter((exemption) => !used.includes(exemption)).map((each) => `not used: ${formatExemption(each)}`);

export type Exempted = { finding: Finding; by?: Exemption };

/** Waives the finding, or hands it back saying since when its exemption no longer holds. */
export function exempt(finding: Finding, exemptions: readonly Exemption[], now: Date): Exempted {
  const fitting = exemptions.filter((exemption) => covers(exemption, finding));
  const holding = fitting.find((exemption) => now.getTime() < (lastMoment(exemption.until) ?? 0));
  if (holding !== undefined) return { finding, by: holding };
  const latest = fitting
    .map((exemption) => exemption.until)
    .sort()
    .at(-1);
  if (latest === undefined) return { finding };
  const days = Math.floor((now.getTime() - (lastMoment(latest) ?? 0)) / DAY) + 1;
  return {
    finding: { ...finding, note: `its exemption ran out on ${latest}, ${days} day${days === 1 ? "" : "s"} ago` },
  };
}
