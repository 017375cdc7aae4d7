import { type Exemption, exempt, type Faulty } from "./exemption";
import type { Fault, Finding, Level, ObjectRef } from "./rules/finding";
import { OBJECT_RULES, SET_RULES } from "./rules/index";
import { at, kindOf, type Manifest, text } from "./rules/manifest";
import { ObjectSet } from "./rules/objectSet";
import { type Options, PROFILES } from "./rules/options";
import type { Gate, RuleFacts, SetFault } from "./rules/rule";

export interface Judgement {
  /** Rules left out are mandatory. */
  readonly levels: Readonly<Partial<Record<string, Level>>>;
  /** Whether what a preview cannot know is only reported, or fails like a violation. */
  readonly unknowns: "report" | "fail";
  readonly exemptions: readonly Exemption[];
  /** What is wrong with the list of exemptions, to be told once with the set. */
  readonly faulty?: readonly Faulty[];
  readonly now: Date;
  readonly options: Options;
  /** Only the rules of this gate are asked. */
  readonly gate: Gate;
}

export interface Subject {
  readonly manifest: Manifest;
  /** Stands in for metadata.name, which may be generated or unknown. */
  readonly pulumiName: string;
  /** A patch shows only the fields it changes: nothing can be said from it about the object among others. */
  readonly partial?: true;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly waived: readonly { finding: Finding; by: Exemption }[];
}

/** The Kubernetes provider marks a name that it made up, which is another one at the next gate and in the next preview. */
const MADE_UP = "pulumi.com/autonamed";

function reference({ manifest, pulumiName }: Subject): ObjectRef {
  const metadata = at(manifest, "metadata");
  const namespace = text(at(metadata, "namespace"));
  const madeUp = at(metadata, "annotations", MADE_UP) === "true";
  const name = (madeUp ? undefined : text(at(metadata, "name"))) ?? pulumiName;
  return { kind: kindOf(manifest), name, ...(namespace === undefined ? {} : { namespace }) };
}

/** Whether the environment holds this rule here. */
export function isHeld(rule: RuleFacts, { gate, levels, options }: Judgement): boolean {
  const asked = rule.profile === undefined ? 0 : PROFILES.indexOf(rule.profile);
  return (
    rule.gates.includes(gate) && levels[rule.id] !== "disabled" && asked <= PROFILES.indexOf(options.podSecurity.level)
  );
}

function levelOf(rule: RuleFacts, fault: Fault, { levels, unknowns }: Judgement): Finding["level"] {
  const open = fault.undecidable === true && unknowns === "report";
  return open || fault.soft === true || levels[rule.id] === "advisory" ? "advisory" : "mandatory";
}

function findingOf(rule: RuleFacts, item: Item, fault: Fault, judgement: Judgement): Finding {
  const controls = fault.controls ?? rule.controls;
  const level = levelOf(rule, fault, judgement);
  return { ...fault, path: item.prefix + fault.path, rule: rule.id, controls, object: reference(item), level };
}

/** One unknown can leave many rules open: that is one finding, which names them. */
function gatherUnknowns(findings: readonly Finding[]): Finding[] {
  const kept: Finding[] = [];
  const open = new Map<string, { at: number; rules: string[] }>();
  for (const finding of findings) {
    const key = `${finding.path} ${finding.level}`;
    const first = finding.undecidable === true ? open.get(key) : undefined;
    if (first !== undefined) first.rules.push(finding.rule);
    else if (finding.undecidable === true) open.set(key, { at: kept.push(finding) - 1, rules: [] });
    else kept.push(finding);
  }
  for (const { at: place, rules } of open.values()) {
    const first = kept[place];
    if (first !== undefined && rules.length > 0)
      kept[place] = { ...first, note: `not decided either: ${[...new Set(rules)].join(", ")}` };
  }
  return kept;
}

function weigh(findings: readonly Finding[], { exemptions, now }: Judgement): Verdict {
  const weighed = findings.map((finding) => exempt(finding, exemptions, now));
  return {
    findings: gatherUnknowns(weighed.flatMap(({ finding, by }) => (by === undefined ? [finding] : []))),
    waived: weighed.flatMap(({ finding, by }) => (by === undefined ? [] : [{ finding, by }])),
  };
}

interface Item extends Subject {
  readonly prefix: string;
}

/** A `List` is judged item by item, and so are those within it. */
function items(subject: Subject, prefix = ""): Item[] {
  const list: unknown = subject.manifest.items;
  if (!kindOf(subject.manifest).endsWith("List") || !Array.isArray(list)) return [{ ...subject, prefix }];
  return Array.from(list as unknown[]).flatMap((item, index) =>
    typeof item === "object" && item !== null
      ? items({ ...subject, manifest: item as Manifest }, `${prefix}items[${index}].`)
      : [],
  );
}

export function judgeObject(subject: Subject, judgement: Judgement): Verdict {
  const findings = items(subject).flatMap((item) =>
    OBJECT_RULES.filter((rule) => isHeld(rule, judgement)).flatMap((rule) =>
      rule.check(item.manifest, judgement.options).map((fault) => findingOf(rule, item, fault, judgement)),
    ),
  );
  return weigh(findings, judgement);
}

/** One verdict for each subject, in order. */
export function judgeSet(subjects: readonly Subject[], judgement: Judgement): Verdict[] {
  const parts = subjects.flatMap((subject, owner) =>
    subject.partial === true ? [] : items(subject).map((item) => ({ owner, item })),
  );
  const set = new ObjectSet(parts.map(({ item }) => item.manifest));
  const found: Finding[][] = subjects.map(() => []);
  for (const rule of SET_RULES.filter((each) => isHeld(each, judgement))) {
    if (rule.fromAbsence === true && !judgement.options.complete) continue;
    for (const { of, ...fault } of rule.checkAll(set, judgement.options) as readonly SetFault[]) {
      const part = parts[of];
      if (part !== undefined) found[part.owner]?.push(findingOf(rule, part.item, fault, judgement));
    }
  }
  return found.map((findings) => weigh(findings, judgement));
}

/** Definitions of kinds are long, and nothing is asked of them: they need not even be decoded. */
export function isJudged(kind: string): boolean {
  return kind !== "CustomResourceDefinition";
}
