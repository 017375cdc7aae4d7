import assert from "node:assert/strict";
import * as https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Outputs } from "../../checks/stand";

const WORKERS = 3;
const PAUSE_MS = 50;

/** The status of one request on a connection of its own. */
export function askEdge(
  { address, certificateAuthority }: Outputs["edge"],
  host: string,
  path: string,
): Promise<number> {
  return new Promise((done, fail) => {
    const request = https.get(
      {
        host: address,
        servername: host,
        headers: { host },
        path,
        ca: certificateAuthority || undefined,
        agent: false,
        timeout: 10_000,
      },
      (response) => {
        response.on("error", fail);
        response.on("end", () => done(response.statusCode ?? 0));
        response.resume();
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer in 10 s")));
    request.on("error", fail);
  });
}

interface Load {
  readonly requests: number;
  readonly failures: readonly string[];
}

/** Asks steadily, for so long and until the work is done, and a little longer. */
export async function underLoad(
  seconds: number,
  [edge, host, path]: [Outputs["edge"], string, string],
  work: () => Promise<unknown>,
  { workers = WORKERS, pauseMs = PAUSE_MS } = {},
): Promise<Load> {
  const failures: string[] = [];
  let requests = 0;
  let ended = false;
  const worker = async (): Promise<void> => {
    while (!ended) {
      const start = Date.now();
      const status = await askEdge(edge, host, path).catch((error: Error) => error.message);
      requests++;
      if (status !== 200) failures.push(`${new Date(start).toISOString()} ${status} after ${Date.now() - start} ms`);
      await sleep(pauseMs);
    }
  };
  const working = Array.from({ length: workers }, worker);
  try {
    await Promise.all([sleep(1000).then(work), sleep(seconds * 1000)]);
    await sleep(2000);
  } finally {
    ended = true;
    await Promise.all(working);
  }
  return { requests, failures };
}

export function noneLost({ requests, failures }: Load): void {
  console.log(`      ${requests} requests, ${failures.length} lost`);
  assert.ok(requests > 50, "there was no load");
  assert.deepEqual(failures, []);
}
