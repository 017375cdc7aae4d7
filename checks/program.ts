import type { Check } from "./check";
import type { Stand } from "./stand";

async function unchanged(stand: Stand): Promise<void> {
  const { code, all } = await stand.pulumi(["preview", "--diff", "--expect-no-changes"]);
  if (code !== 0) throw new Error(all.trim());
}

/** Compares the program with the state; what somebody changed in the cluster is found by a refresh, which writes. */
export const programChecks: readonly Check[] = [
  { id: "001.6", title: "the program asks for nothing that the stack does not have", run: unchanged },
];
