import assert from "node:assert/strict";
import { NAME, outputs, platform } from "../live/world";

/** Brings a stage up with what the one before has; nobody waits here until that has been healthy for as long as prod asks. */
export async function stageUp(stack: string): Promise<void> {
  const apps = stack === "prod" ? Object.keys((await outputs("qa")).releases) : [];
  const early = apps.flatMap((app) => ["--allow-early", `${app}=qa has just come up`]);
  const { code, all } = await platform("up", ["--name", NAME, "--stack", stack, ...early]);
  assert.equal(code, 0, all);
}
