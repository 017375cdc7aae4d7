import { type Subject, judgeObject, judgeSet } from "../policy/judge";
import { formatFinding } from "../policy/rules/finding";
import { type PolicySettings, policySettings } from "../policy/settings";
import { isJudgedToken, subjectOf } from "../policy/subject";
import type { Registered } from "./unit/components/recorder";

/** What the policies see of what a program made, secrets opened. */
export const subjectsOf = (resources: readonly Registered[]): Subject[] =>
  resources.filter(({ type }) => isJudgedToken(type)).map(({ type, name, opened }) => subjectOf(type, name, opened));

/** What the policies say of them, each alone and all together, by the settings of a stack. */
export function findingsOf(subjects: readonly Subject[], settings: string | PolicySettings): string[] {
  const { objects, stack } = typeof settings === "string" ? policySettings(settings) : settings;
  const verdicts = [...subjects.map((each) => judgeObject(each, objects)), ...judgeSet([...subjects], stack)];
  return verdicts.flatMap(({ findings }) => findings.map(formatFinding));
}
