import * as fs from "node:fs";
import type { DebianSource } from "./lock";

const OS_RELEASE = "/etc/os-release";

/** What the machine says it runs. */
export const osRelease = (): string => (fs.existsSync(OS_RELEASE) ? fs.readFileSync(OS_RELEASE, "utf8") : "");

/** Why this distribution does not have the packages, or undefined. */
export function releaseObstacle({ packages, release }: DebianSource, running: string): string | undefined {
  if (release === undefined) return undefined;
  const value = (key: string): string => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(running)?.[1] ?? "";
  // Debian's releases to come have no number.
  const fits = value("ID") === "debian" && Number(value("VERSION_ID") || release) >= release;
  if (fits) return undefined;
  return `Debian has ${packages.join(", ")} from ${release} on, and this is ${value("PRETTY_NAME") || "another system"}`;
}
