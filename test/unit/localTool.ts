import * as path from "node:path";
import { decideLocally } from "../../toolchain/plan";
import { settingsFrom } from "../../toolchain/settings";

/** A tool of the lock, where this machine has it already: a unit test fetches and builds nothing. */
export function localTool(name: string): string | undefined {
  const decision = decideLocally(name, settingsFrom());
  if (decision?.how === "present") return decision.files[name];
  if (decision?.how === "stored") return path.join(decision.directory, "bin", name);
  console.log(`      skipped: ${name} is not here; npm run toolchain -- build ${name} brings it`);
  return undefined;
}
