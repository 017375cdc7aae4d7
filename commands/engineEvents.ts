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
  policyEvent?: { resourceUrn?: string; message: string; policyName: string; enforcementLevel: string };
  diagnosticEvent?: { urn?: string; message: string; severity: string };
}

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
