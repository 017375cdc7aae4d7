import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Exemption, listed } from "./exemption";
import { EXEMPTIONS } from "./exemptions";
import type { Judgement } from "./judge";
import { LEVELS } from "./rules/finding";
import { OBJECT_RULES, SET_RULES } from "./rules/index";
import { optionFaults, readOptions } from "./rules/options";
import type { Gate } from "./rules/rule";

/** The pack's two policies. A file in config/ has one section for each, which is the form `--policy-pack-config` takes. */
export const SECTIONS = { objects: OBJECT_RULES, stack: SET_RULES } as const;
export type Section = keyof typeof SECTIONS;

const UNKNOWNS = ["report", "fail"] as const;
const KEYS = ["levels", "unknowns", "options"];
export const CONFIG = join(__dirname, "config");

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
    options: { type: "object" },
  };
}

export function readSection(section: Section, found: unknown, place: string, gate: Gate): Judgement {
  const faults: string[] = [];
  const oneOf = (path: string, value: unknown, allowed: readonly string[]): void => {
    if (value === undefined || allowed.includes(value as string)) return;
    faults.push(
      `${place}: ${section}.${path}: found ${JSON.stringify(value)}, allowed is one of ${allowed.join(", ")}`,
    );
  };
  if (found !== undefined && (typeof found !== "object" || found === null)) {
    faults.push(`${place}: ${section}: found ${JSON.stringify(found)}, allowed is an object with ${KEYS.join(", ")}`);
  }
  for (const key of Object.keys(entries(found))) oneOf("key", key, KEYS);
  const { levels, unknowns, options } = entries(found);
  const ids = SECTIONS[section].map((rule) => rule.id);
  for (const [rule, level] of Object.entries(entries(levels))) {
    oneOf("levels", rule, ids);
    oneOf(`levels.${rule}`, level, LEVELS);
  }
  oneOf("unknowns", unknowns, UNKNOWNS);
  faults.push(...optionFaults(options).map((fault) => `${place}: ${section}.options${fault}`));
  if (faults.length > 0) throw new Error(faults.join("\n"));
  const now = new Date();
  return {
    levels: entries(levels) as Judgement["levels"],
    unknowns: unknowns === "fail" ? "fail" : "report",
    ...listed(EXEMPTIONS, "policy/exemptions.ts", now),
    now,
    options: readOptions(options),
    gate,
  };
}

export type PolicySettings = Readonly<Record<Section, Judgement>>;

const FILE_KEYS = [...Object.keys(SECTIONS), "exemptions"];

/** A whole file, for the gate that reads any: it may list exemptions of its own in place of the project's. */
export function readSettings(found: unknown, place: string, gate: Gate): PolicySettings {
  const faults = typeof found === "object" && found !== null ? [] : [`${place}: found ${JSON.stringify(found)}`];
  const { objects, stack, exemptions, ...rest } = entries(found);
  faults.push(...Object.keys(rest).map((key) => `${place}: found "${key}"`));
  if (exemptions !== undefined && !Array.isArray(exemptions)) faults.push(`${place}: exemptions: found no list`);
  if (faults.length > 0)
    throw new Error(faults.map((fault) => `${fault}, allowed is ${FILE_KEYS.join(", ")}`).join("\n"));
  const own = exemptions === undefined ? undefined : listed(exemptions as Exemption[], place, new Date());
  const section = (name: Section, value: unknown): Judgement => {
    const judgement = readSection(name, value, place, gate);
    return own === undefined ? judgement : { ...judgement, ...own };
  };
  return { objects: section("objects", objects), stack: section("stack", stack) };
}

/** The same file that the pack is given, for the other gates. */
export function policySettings(environment: string, gate: Gate = "program"): PolicySettings {
  const place = `policy/config/${environment}.json`;
  let found: Rules;
  try {
    found = entries(JSON.parse(readFileSync(join(CONFIG, `${environment}.json`), "utf8")));
  } catch (error) {
    const known = readdirSync(CONFIG).map((file) => file.replace(/\.json$/, ""));
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`${place} cannot be read: ${cause}. Add it, or use one of the environments ${known.join(", ")}`);
  }
  return readSettings(found, place, gate);
}
