import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkExemptions } from "./exemption";
import { EXEMPTIONS } from "./exemptions";
import type { Judgement } from "./judge";
import { LEVELS } from "./rules/finding";
import { OBJECT_RULES, SET_RULES } from "./rules/index";

/** The pack's two policies. A file in config/ has one section for each, which is the form `--policy-pack-config` takes. */
export const SECTIONS = { objects: OBJECT_RULES, stack: SET_RULES } as const;
export type Section = keyof typeof SECTIONS;

const UNKNOWNS = ["report", "fail"] as const;
const CONFIG = join(__dirname, "config");

type Rules = Readonly<Record<string, unknown>>;
const entries = (value: unknown): Rules => (typeof value === "object" && value !== null ? (value as Rules) : {});

/** What the engine checks a section against before anything runs. */
export function sectionSchema(section: Section): Record<string, object> {
  const level = { type: "string", enum: [...LEVELS] };
  return {
    levels: {
      type: "object",
      properties: Object.fromEntries(SECTIONS[section].map((rule) => [rule.id, level])),
      additionalProperties: false,
    },
    unknowns: { type: "string", enum: [...UNKNOWNS] },
  };
}

export function readSection(section: Section, found: unknown, place: string): Judgement {
  const faults: string[] = [];
  const oneOf = (path: string, value: unknown, allowed: readonly string[]): void => {
    if (value === undefined || allowed.includes(value as string)) return;
    faults.push(
      `${place}: ${section}.${path}: found ${JSON.stringify(value)}, allowed is one of ${allowed.join(", ")}`,
    );
  };
  if (found !== undefined && (typeof found !== "object" || found === null)) {
    faults.push(`${place}: ${section}: found ${JSON.stringify(found)}, allowed is an object with levels and unknowns`);
  }
  for (const key of Object.keys(entries(found))) oneOf("key", key, ["levels", "unknowns"]);
  const { levels, unknowns } = entries(found);
  const ids = SECTIONS[section].map((rule) => rule.id);
  for (const [rule, level] of Object.entries(entries(levels))) {
    oneOf("levels", rule, ids);
    oneOf(`levels.${rule}`, level, LEVELS);
  }
  oneOf("unknowns", unknowns, UNKNOWNS);
  if (faults.length > 0) throw new Error(faults.join("\n"));
  checkExemptions(EXEMPTIONS);
  return {
    levels: entries(levels) as Judgement["levels"],
    unknowns: unknowns === "fail" ? "fail" : "report",
    exemptions: EXEMPTIONS,
    now: new Date(),
  };
}

export type PolicySettings = Readonly<Record<Section, Judgement>>;

/** The same file that the pack is given, for the gate inside the program. */
export function policySettings(environment: string): PolicySettings {
  const place = `policy/config/${environment}.json`;
  let found: Rules;
  try {
    found = entries(JSON.parse(readFileSync(join(CONFIG, `${environment}.json`), "utf8")));
  } catch (error) {
    const known = readdirSync(CONFIG).map((file) => file.replace(/\.json$/, ""));
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`${place} cannot be read: ${cause}. Add it, or use one of the environments ${known.join(", ")}`);
  }
  return {
    objects: readSection("objects", found.objects, place),
    stack: readSection("stack", found.stack, place),
  };
}
