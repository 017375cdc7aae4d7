import * as fs from "node:fs";
import { isDeepStrictEqual } from "node:util";

/** What the engine writes into its log of events: one JSON object per line. */
export interface EngineEvent {
  resourcePreEvent?: {
    metadata: {
      op: string;
      urn: string;
      type: string;
      old?: { custom?: boolean } | null;
      new?: { custom?: boolean } | null;
      diffs?: string[] | null;
      detailedDiff?: Record<string, unknown> | null;
    };
  };
  resOutputsEvent?: { metadata: { type: string; old?: Stated | null; new?: Stated | null } };
  /** The last of a log that was not cut off. */
  summaryEvent?: { resourceChanges?: Readonly<Record<string, number>> };
  policyEvent?: { resourceUrn?: string; message: string; policyName: string; enforcementLevel: string };
  diagnosticEvent?: { urn?: string; message: string; severity: string };
}

interface Stated {
  readonly outputs?: unknown;
}

/** None where there is no such file. */
export const eventsOf = (file: string): EngineEvent[] =>
  fs.existsSync(file) ? eventsIn(fs.readFileSync(file, "utf8")) : [];

/** The engine may be in the middle of a line, or have been killed there. */
export function eventsIn(text: string): EngineEvent[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as EngineEvent] : [];
    } catch {
      return [];
    }
  });
}

/** What a provider does or would do; Pulumi's own bookkeeping (stack, components, providers) is left out. */
export function stepsOf(events: readonly EngineEvent[]): NonNullable<EngineEvent["resourcePreEvent"]>["metadata"][] {
  return events
    .flatMap((event) => event.resourcePreEvent?.metadata ?? [])
    .filter(({ type, old, new: next }) => (next ?? old)?.custom === true && !type.startsWith("pulumi:"));
}

/** Whether the engine has said that it changes how an application runs. */
export const changesDeployment = (events: readonly EngineEvent[]): boolean =>
  stepsOf(events).some(({ type, op }) => type === "kubernetes:apps/v1:Deployment" && op !== "same");

const LEAVES = ["same", "read"];

/** Whether the engine found nothing to do: no object to change, and nothing that the stack would say of itself otherwise. */
export function changesNothing(events: readonly EngineEvent[]): boolean {
  const summary = events.find(({ summaryEvent }) => summaryEvent)?.summaryEvent;
  const steps = Object.entries(summary?.resourceChanges ?? {}).filter(([, count]) => count > 0);
  if (steps.length === 0 || steps.some(([op]) => !LEAVES.includes(op))) return false;
  const stack = events
    .flatMap(({ resOutputsEvent }) => resOutputsEvent?.metadata ?? [])
    .filter(({ type }) => type === "pulumi:pulumi:Stack")
    .at(-1);
  return stack?.new?.outputs !== undefined && isDeepStrictEqual(stack.old?.outputs, stack.new.outputs);
}
