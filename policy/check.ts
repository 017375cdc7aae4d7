import type { Exemption } from "./exemption";
import { type Judgement, judgeObject, judgeSet, type Verdict } from "./judge";
import type { Document } from "./documents";
import { type Finding, formatFinding } from "./rules/finding";
import { at, text } from "./rules/manifest";
import type { PolicySettings } from "./settings";

export interface Placed extends Document {
  readonly file: string;
  /** Said of a part of an object, and nothing of it among others. */
  readonly partial?: true;
}

/** A finding as a machine reads it. */
export interface Row {
  readonly file: string;
  readonly index: number;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | null;
  readonly rule: string;
  readonly controls: readonly string[];
  readonly level: Finding["level"];
  readonly path: string;
  readonly message: string;
}

export interface Report {
  readonly rows: readonly Row[];
  readonly waived: readonly { readonly file: string; readonly finding: Finding; readonly by: Exemption }[];
}

const nameOf = (document: Document): string =>
  text(at(document.manifest, "metadata", "generateName")) ?? "(without a name)";

function rowOf({ file, index }: Pick<Placed, "file" | "index">, finding: Finding): Row {
  const { rule, controls, level, path, object } = finding;
  const { kind, name, namespace = null } = object;
  return { file, index, kind, name, namespace, rule, controls, level, path, message: formatFinding(finding) };
}

/** Whether there is more than one object, so that one may speak of another. */
const several = (documents: readonly Document[]): boolean =>
  documents.length > 1 || documents.some(({ manifest }) => Array.isArray(manifest.items) && manifest.items.length > 1);

/**
 * Judges objects that belong together. Unless said otherwise they are taken to be complete where there are several: a single
 * object says nothing of what else there is.
 */
export function check(documents: readonly Placed[], settings: PolicySettings, complete = several(documents)): Report {
  const subjects = documents.map((document) => ({
    manifest: document.manifest,
    pulumiName: nameOf(document),
    ...(document.partial ? { partial: document.partial } : {}),
  }));
  const stack: Judgement = { ...settings.stack, options: { ...settings.stack.options, complete } };
  const together = judgeSet(subjects, stack);
  const verdicts = subjects.map((subject, at): Verdict[] => [
    judgeObject(subject, settings.objects),
    together[at] ?? { findings: [], waived: [] },
  ]);
  const each = documents.map((document, at) => ({ document, verdicts: verdicts[at] ?? [] }));
  return {
    rows: [
      ...(stack.faulty ?? []).map((faulty) => rowOf(faulty, faulty.finding)),
      ...each.flatMap(({ document, verdicts: own }) =>
        own.flatMap(({ findings }) => findings.map((finding) => rowOf(document, finding))),
      ),
    ],
    waived: each.flatMap(({ document: { file }, verdicts: own }) =>
      own.flatMap(({ waived }) => waived.map(({ finding, by }) => ({ file, finding, by }))),
    ),
  };
}
