import type { Command } from "./measure";
import type { KubernetesObject, ObjectSets } from "./objects";
import type { Case } from "./results";
import type { Server } from "./server";

/** Where one contender works during one trial: a directory of its own, which is also its home. */
export interface Place {
  readonly dir: string;
  readonly server: Server;
}

/** One measured step. `prepare` writes what the step reads, and is no part of its time. */
export interface Step {
  readonly case: Case;
  readonly prepare?: () => void;
  readonly commands: readonly Command[];
  /** What has to be on the server afterwards; left out where the step writes nothing. */
  readonly leaves?: readonly KubernetesObject[];
}

export interface Contender {
  readonly name: string;
  /** One line for the reader of the results: what was run, and what it lacks. */
  readonly what: string;
  /** Why it cannot be measured here. */
  readonly absent?: string;
  readonly version?: string;
  /** What a user has done once before: an empty stack, an initialised directory. Not measured. */
  readonly setUp?: (place: Place) => readonly Command[];
  readonly steps: (place: Place, sets: ObjectSets) => readonly Step[];
  /** The same, for a program with no objects. */
  readonly empty?: (place: Place) => readonly Step[];
}

export type Act = "first" | "noop" | "one" | "tenth" | "prune";

/** The steps of a tool that writes and previews a set of objects in one way each; a case that it has no answer to is left out. */
export function usualSteps(
  sets: ObjectSets,
  tool: {
    readonly write: (objects: readonly KubernetesObject[]) => void;
    readonly apply: (act: Act) => readonly Command[];
    readonly preview?: () => readonly Command[];
    readonly more?: readonly Step[];
    readonly refresh?: () => readonly Command[];
    readonly destroy: () => readonly Command[];
  },
): Step[] {
  const { write, apply, preview, more = [], refresh, destroy } = tool;
  const act = (what: Act, objects: readonly KubernetesObject[]): Step => ({
    case: what,
    prepare: () => write(objects),
    commands: apply(what),
    leaves: objects,
  });
  const see = (what: Case, objects: readonly KubernetesObject[]): Step[] =>
    preview ? [{ case: what, prepare: () => write(objects), commands: preview() }] : [];
  return [
    act("first", sets.base),
    ...see("previewNoop", sets.base),
    ...more,
    ...see("previewOne", sets.one),
    act("noop", sets.base),
    act("one", sets.one),
    act("tenth", sets.tenth),
    act("prune", sets.pruned),
    ...(refresh ? [{ case: "refresh" as const, commands: refresh() }] : []),
    { case: "destroy", commands: destroy(), leaves: [] },
  ];
}
