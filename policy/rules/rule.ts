import type { Fault } from "./finding";
import type { Manifest } from "./manifest";
import type { ObjectSet } from "./objectSet";
import type { Options } from "./options";

export const GATES = ["pack", "program", "admission", "check"] as const;
/** The pack in the engine, the gate inside the program, the policies in the API server, `npm run policy:check`. */
export type Gate = (typeof GATES)[number];

export interface RuleFacts {
  readonly id: string;
  readonly family: string;
  readonly description: string;
  /** Public checks that the rule satisfies. */
  readonly controls: readonly string[];
  /** Where the rule holds. */
  readonly gates: readonly Gate[];
  /** The Pod Security level that asks for it: a lower level set leaves it out. */
  readonly profile?: "baseline" | "restricted";
}

/** Decided by one object alone, and therefore before that object is written. */
export interface ObjectRule extends RuleFacts {
  readonly check: (manifest: Manifest, options: Options) => Fault[];
}

/** A fault of the object at this place of the set. */
export interface SetFault extends Fault {
  readonly of: number;
}

/** Decided only by everything that is deployed together. */
export interface SetRule extends RuleFacts {
  /** It misses objects, and so can only be asked of a set that is complete. */
  readonly fromAbsence?: true;
  readonly checkAll: (set: ObjectSet, options: Options) => SetFault[];
}
