import { type Exemption, formatUnused } from "../policy/exemption";
import { EXEMPTIONS } from "../policy/exemptions";
import { judgeObject, judgeSet, type Verdict } from "../policy/judge";
import { formatFinding } from "../policy/rules/finding";
import { type PolicySettings, policySettings } from "../policy/settings";
import { isJudgedToken, subjectOf } from "../policy/subject";
import type { Fields } from "./unit/components/recorder";

interface Made {
  readonly type: string;
  readonly name: string;
  readonly inputs: Fields;
  /** The same with its secrets opened, where the test has them. */
  readonly opened?: Fields;
  readonly read?: boolean;
}

/** What all rules of the pack say of what a program made, under names as the mocks give them. */
export function judge(settings: string | PolicySettings, made: readonly Made[]): Verdict[] {
  const { objects, stack } = typeof settings === "string" ? policySettings(settings, "pack") : settings;
  const subjects = made
    .filter(({ type, read }) => isJudgedToken(type) && read !== true)
    .map(({ type, name, inputs, opened }) => {
      const { metadata, ...rest } = opened ?? inputs;
      return subjectOf(type, name, {
        ...rest,
        metadata: { name: `${name}-auto`, ...(metadata as Fields | undefined) },
      });
    });
  if (subjects.length === 0) throw new Error("the policies saw nothing");
  return [...subjects.map((each) => judgeObject(each, objects)), ...judgeSet(subjects, stack)];
}

export const findingsIn = (verdicts: readonly Verdict[]): string[] =>
  verdicts.flatMap(({ findings }) => findings.map(formatFinding));

/** Parts of the platform that the committed stacks do without. */
const OPTIONAL = /^(?:platform-)?deployer|^postgres/;

/** Exemptions that these verdicts had no use for: those of the parts that are named so, or of what every stack has. */
export function unusedIn(verdicts: readonly Verdict[], part?: string): string[] {
  const used = verdicts.flatMap(({ waived }) => waived.map(({ by }) => by));
  const ours = ({ target: { name = "" } }: Exemption): boolean =>
    part === undefined ? !OPTIONAL.test(name) : OPTIONAL.test(name) && name.includes(part);
  return formatUnused(EXEMPTIONS.filter(ours), used);
}
