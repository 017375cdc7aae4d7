import * as fs from "node:fs";
import * as path from "node:path";

/** Of an entry of the API server's audit log, what says who asked for what. */
export interface Asked {
  readonly stage: string;
  readonly verb: string;
  readonly requestReceivedTimestamp: string;
  readonly userAgent?: string;
  readonly objectRef?: object;
}

/** What was asked since then and answered, from a log and those that it was rotated into. */
export function askedSince(log: string, since: Date): Asked[] {
  const { dir, name } = path.parse(log);
  const files = fs.readdirSync(dir).filter((file) => file.startsWith(name) && file.endsWith(".log"));
  const lines = files.flatMap((file) => fs.readFileSync(path.join(dir, file), "utf8").split("\n").filter(Boolean));
  return lines
    .map((line) => JSON.parse(line) as Asked)
    .filter(({ stage }) => stage === "ResponseComplete")
    .filter(({ requestReceivedTimestamp: time }) => Date.parse(time) >= since.getTime());
}

/** The parts of a run, by how they call themselves; the program's own questions name nobody. */
const AGENTS = { provider: /^pulumi-kubernetes\//, program: /^$/, kubectl: /^kubectl/ } as const;

/** How often a part of a run asked, by verb. What kubectl learns of the API, it keeps on disk now and then: that is left out. */
export function countOf(asked: readonly Asked[], part: keyof typeof AGENTS): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verb, userAgent = "", objectRef } of asked)
    if (AGENTS[part].test(userAgent) && (objectRef || part !== "kubectl")) counts[verb] = (counts[verb] ?? 0) + 1;
  return counts;
}
