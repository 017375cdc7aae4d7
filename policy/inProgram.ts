import * as pulumi from "@pulumi/pulumi";
import { type Exemption, formatUnused, formatWaiver } from "./exemption";
import { judgeObject, judgeSet, type Subject, type Verdict } from "./judge";
import { type Finding, formatFinding } from "./rules/finding";
import { type Manifest, UNKNOWN } from "./rules/manifest";
import { type PolicySettings, policySettings } from "./settings";
import { isJudgedToken, subjectOf } from "./subject";

interface Registered {
  readonly subject: Subject;
  readonly verdict: Verdict;
  readonly resource: pulumi.Resource;
}

/** Resource properties in the wire's form, as plain values: secrets opened, unknowns marked. */
function plain(value: unknown): unknown {
  if (value === pulumi.runtime.unknownValue) return UNKNOWN;
  const opened: unknown = pulumi.runtime.unwrapRpcSecret(value);
  if (opened !== value) return plain(opened);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

async function manifestOf(args: pulumi.ResourceTransformArgs): Promise<Manifest> {
  const properties = await pulumi.runtime.serializeProperties(args.name, args.props);
  return plain(properties) as Manifest;
}

/** What the log files a message under. */
async function resourceOf(args: pulumi.ResourceTransformArgs): Promise<pulumi.Resource> {
  const urn = pulumi.createUrn(args.name, args.type, args.opts.parent);
  return new pulumi.DependencyResource(await new Promise<string>((resolve) => urn.apply(resolve)));
}

const isViolation = (finding: Finding): boolean => finding.level === "mandatory";

type Log = (severity: "error" | "warn" | "info", message: string, resource?: pulumi.Resource) => Promise<void>;

export class Gate {
  private readonly registered: Registered[] = [];
  private closed = false;
  private complete = true;

  constructor(
    private readonly settings: PolicySettings,
    private readonly log: Log = (severity, message, resource) => pulumi.log[severity](message, resource),
  ) {}

  async inspect(args: pulumi.ResourceTransformArgs): Promise<undefined> {
    if (!isJudgedToken(args.type)) return;
    const subject = subjectOf(args.type, args.name, await manifestOf(args));
    const verdict = judgeObject(subject, this.settings.objects);
    const violations = verdict.findings.filter(isViolation);
    // A preview goes on, to name everything at once. An update stops here, before the object exists.
    if (violations.length > 0 && !pulumi.runtime.isDryRun()) throw new Error(violations.map(formatFinding).join("\n"));
    this.registered.push({ subject, verdict, resource: await resourceOf(args) });
  }

  /** A program that broke off has not said everything that belongs together. */
  breakOff(): void {
    this.complete = false;
  }

  private async tell({ findings, waived }: Verdict, resource: pulumi.Resource): Promise<void> {
    for (const finding of findings) {
      await this.log(isViolation(finding) ? "error" : "warn", formatFinding(finding), resource);
    }
    for (const { finding, by } of waived) {
      await this.log("info", formatWaiver(finding, by), resource);
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const subjects = this.registered.map(({ subject }) => subject);
    const together = this.complete ? judgeSet(subjects, this.settings.stack) : [];

    let violations = 0;
    const used: Exemption[] = [];
    for (const { finding } of this.settings.stack.faulty ?? []) {
      await this.log("error", formatFinding(finding));
      violations += 1;
    }
    for (const [index, { verdict, resource }] of this.registered.entries()) {
      for (const each of [verdict, together[index] ?? { findings: [], waived: [] }]) {
        await this.tell(each, resource);
        used.push(...each.waived.map(({ by }) => by));
        violations += each.findings.filter(isViolation).length;
      }
    }
    const unused = this.complete ? formatUnused(this.settings.objects.exemptions, used) : [];
    if (unused.length > 0) await this.log("info", unused.join("\n"));
    if (violations > 0) {
      const error = new pulumi.RunError(
        `${violations} policy violation${violations === 1 ? "" : "s"}, each named under its resource`,
      );
      // Where the gate stands in its own source helps nobody.
      delete error.stack;
      throw error;
    }
  }
}

/**
 * Holds the pack's rules inside the program, so that a `pulumi preview` or `up` without the pack is refused as well.
 * Call it once, before the first resource. It sees the children of every component, remote ones included.
 */
export function enforcePolicies({ stack, imagesFrom }: { stack: string; imagesFrom: readonly string[] }): void {
  const { objects, ...settings } = policySettings(stack);
  const options = { ...objects.options, imagesFrom: [...objects.options.imagesFrom, ...imagesFrom] };
  const gate = new Gate({ ...settings, objects: { ...objects, options } });
  // Mocks have no engine that could call back; tests judge the resources they record.
  if (pulumi.runtime.getMonitor()?.constructor.name === "MockMonitor") return;
  for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, () => gate.breakOff());
  pulumi.runtime.registerResourceTransform((args) => gate.inspect(args));
  // Only when nothing is left to do have all resources been registered, those created inside an apply too. Pulumi
  // deletes what the program no longer names after this point, so a failure here comes first.
  process.on("beforeExit", () => void gate.close());
}
