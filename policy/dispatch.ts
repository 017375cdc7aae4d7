import {
  type ReportViolation,
  type ResourceValidationArgs,
  type StackValidationArgs,
  UnknownValueError,
} from "@pulumi/policy";
import { type Exemption, formatUnused, formatWaiver } from "./exemption";
import { judgeObject, judgeSet, type Verdict } from "./judge";
import { formatFinding } from "./rules/finding";
import { type Manifest, UNKNOWN } from "./rules/manifest";
import { readSection, type Section } from "./settings";
import { isJudgedToken, subjectOf } from "./subject";

/** The engine hands over proxies that throw where a preview does not know: here each throw costs one leaf, not the rule. */
function known(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnknownValueError) return UNKNOWN;
    throw error;
  }
}

function plain(value: unknown): unknown {
  // By index, for walking the list itself would throw at the first unknown entry.
  if (Array.isArray(value)) {
    return Array.from({ length: value.length }, (_, index) => plain(known(() => (value as unknown[])[index])));
  }
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Record<string, unknown>;
  return Object.fromEntries(Object.keys(fields).map((key) => [key, plain(known(() => fields[key]))]));
}

interface NamedViolation {
  readonly name: string;
  readonly message: string;
  readonly enforcementLevel?: "advisory";
  readonly urn?: string;
}

type Report = (violation: NamedViolation) => void;

/** A pack's process serves one run, whose objects it is asked about one by one, and at last together. */
const used = new Set<Exemption>();

/**
 * The SDK takes this form too, though its types do not say so. It lets one policy, which decodes each resource once,
 * report under the name of each rule. The level is only ever lowered, so that the engine's own setting still counts.
 */
function tell(verdict: Verdict, urn: string, reportViolation: ReportViolation): void {
  const report = reportViolation as unknown as Report;
  for (const finding of verdict.findings) {
    const level = finding.level === "advisory" ? { enforcementLevel: finding.level } : {};
    report({ name: finding.rule, message: formatFinding(finding), urn, ...level });
  }
  for (const { finding, by } of verdict.waived) {
    used.add(by);
    report({ name: finding.rule, message: formatWaiver(finding, by), urn, enforcementLevel: "advisory" });
  }
}

type Configured = Pick<ResourceValidationArgs, "getConfig">;
const settingsOf = (section: Section, args: Configured): ReturnType<typeof readSection> =>
  readSection(section, args.getConfig(), "the policy pack's configuration", "pack");

type OneResource = Pick<ResourceValidationArgs, "type" | "name" | "urn" | "props"> & Configured;

export function validateObject(args: OneResource, reportViolation: ReportViolation): void {
  if (!isJudgedToken(args.type)) return;
  const subject = subjectOf(args.type, args.name, plain(args.props) as Manifest);
  tell(judgeObject(subject, settingsOf("objects", args)), args.urn, reportViolation);
}

type AllResources = Configured & {
  readonly resources: readonly Pick<StackValidationArgs["resources"][number], "type" | "name" | "urn" | "props">[];
};

export function validateStack(args: AllResources, reportViolation: ReportViolation): void {
  const judged = args.resources.filter(({ type }) => isJudgedToken(type));
  const subjects = judged.map(({ type, name, props }) => subjectOf(type, name, plain(props) as Manifest));
  const settings = settingsOf("stack", args);
  judgeSet(subjects, settings).forEach((verdict, index) => {
    tell(verdict, judged[index]?.urn ?? "", reportViolation);
  });
  const report = reportViolation as unknown as Report;
  for (const { finding } of settings.faulty ?? []) report({ name: finding.rule, message: formatFinding(finding) });
  const unused = formatUnused(settings.exemptions, [...used]);
  if (unused.length > 0) report({ name: "exemption", message: unused.join("\n    "), enforcementLevel: "advisory" });
}
