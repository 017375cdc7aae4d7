import { type Exemption, exempt } from "./exemption";
import type { Fault, Finding, Level, ObjectRef } from "./rules/finding";
import { OBJECT_RULES, type ObjectRule, SET_RULES, type SetRule } from "./rules/index";
import { at, kindOf, type Manifest, text } from "./rules/manifest";
import { POD_KINDS } from "./rules/podTemplate";

export interface Judgement {
  /** Rules left out are mandatory. */
  readonly levels: Readonly<Partial<Record<string, Level>>>;
  /** Whether what a preview cannot know is only reported, or fails like a violation. */
  readonly unknowns: "report" | "fail";
  readonly exemptions: readonly Exemption[];
  readonly now: Date;
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

function weigh(rule: ObjectRule | SetRule, item: Item, faults: readonly Fault[], judgement: Judgement): Verdict {
  const level = judgement.levels[rule.id] ?? "mandatory";
  if (level === "disabled") return { findings: [], waived: [] };
  const weighed = faults.map((fault) => {
    const open = fault.undecidable === true && judgement.unknowns === "report";
    const finding: Finding = {
      ...fault,
      path: item.prefix + fault.path,
      rule: rule.id,
      controls: rule.controls,
      object: reference(item),
      level: open ? "advisory" : level,
    };
    return exempt(finding, judgement.exemptions, judgement.now);
  });
  return {
    findings: weighed.flatMap(({ finding, by }) => (by === undefined ? [finding] : [])),
    waived: weighed.flatMap(({ finding, by }) => (by === undefined ? [] : [{ finding, by }])),
  };
}

interface Item extends Subject {
  readonly prefix: string;
}

/** A `List` is judged item by item. */
function items(subject: Subject): Item[] {
  const list: unknown = subject.manifest.items;
  if (!kindOf(subject.manifest).endsWith("List") || !Array.isArray(list)) return [{ ...subject, prefix: "" }];
  return list.flatMap((item: unknown, index) =>
    typeof item === "object" && item !== null
      ? [{ ...subject, manifest: item as Manifest, prefix: `items[${index}].` }]
      : [],
  );
}

function merge(verdicts: readonly Verdict[]): Verdict {
  return { findings: verdicts.flatMap(({ findings }) => findings), waived: verdicts.flatMap(({ waived }) => waived) };
}

export function judgeObject(subject: Subject, judgement: Judgement): Verdict {
  return merge(
    items(subject).flatMap((item) =>
      OBJECT_RULES.map((rule) => weigh(rule, item, rule.check(item.manifest), judgement)),
    ),
  );
}

/** One verdict for each subject, in order. */
export function judgeSet(subjects: readonly Subject[], judgement: Judgement): Verdict[] {
  const parts = subjects.flatMap((subject, owner) =>
    subject.partial === true ? [] : items(subject).map((item) => ({ owner, item })),
  );
  const verdicts: Verdict[][] = subjects.map(() => []);
  for (const rule of SET_RULES) {
    const faults = rule.checkAll(parts.map(({ item }) => item.manifest));
    parts.forEach(({ owner, item }, index) => verdicts[owner]?.push(weigh(rule, item, faults[index] ?? [], judgement)));
  }
  return verdicts.map(merge);
}

/** Whether any rule looks at objects of this kind, so that the others need not even be decoded. */
export function isJudged(kind: string): boolean {
  return kind === "NetworkPolicy" || kind.endsWith("List") || POD_KINDS.includes(kind);
}
