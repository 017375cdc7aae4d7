import type { Stand } from "./stand";

/**
 * One observation on a running stack. It changes nothing that anybody uses: it reads, asks for a dry run, or makes a pod of
 * its own and takes it away again. Faults belong to the live suite.
 */
export interface Check<S = Stand> {
  /** Of the requirement it proves. */
  readonly id: string;
  readonly title: string;
  /** Throws with the reason; may tell what it saw. */
  readonly run: (stand: S) => Promise<string | void>;
}

/** There is nothing to look at here. */
export class Skip extends Error {}

export interface Outcome {
  readonly id: string;
  readonly title: string;
  readonly status: "pass" | "fail" | "skip";
  readonly seconds: number;
  readonly detail: string;
}

/** A check fails when something was found, and names all of it. */
export function none(what: string, found: readonly string[]): void {
  if (found.length > 0) throw new Error(`${what}:\n${found.join("\n")}`);
}

/** Nothing looked at is nothing shown. */
export function some<T>(what: string, found: readonly T[]): readonly T[] {
  if (found.length === 0) throw new Error(`found no ${what} to look at`);
  return found;
}
