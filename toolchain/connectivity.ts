import { actualUrl } from "./download";

/** Long enough for a far server, short enough for a machine that has no internet and drops packets. */
const PROBE_MS = 2500;

/**
 * Which publishers' hosts answer, asked all at once, one known file of each. A refusal on the way (a proxy's 403, 407
 * or 5xx) counts as no answer; a missing file does not: that is the lock's fault and has to be told, not worked around.
 */
export async function reachableHosts(urls: readonly string[], origin: string | undefined): Promise<Set<string>> {
  const samples = new Map<string, string>();
  for (const url of urls) if (!samples.has(hostOf(url))) samples.set(hostOf(url), url);
  const answers = await Promise.all(
    [...samples].map(async ([host, url]) => ((await answers200ish(actualUrl(url, origin))) ? host : undefined)),
  );
  return new Set(answers.filter((host) => host !== undefined));
}

async function answers200ish(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(PROBE_MS) });
    await response.body?.cancel();
    return response.status < 500 && ![401, 403, 407].includes(response.status);
  } catch {
    return false;
  }
}

export function hostOf(url: string): string {
  return new URL(url).host;
}
