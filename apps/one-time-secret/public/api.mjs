const PER_TRY_MS = 20_000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks the service, and again for half a minute while it says that it cannot, or nothing: a server may just be taking
 * another's place. Gives the status, 0 where there was no answer, and what came.
 */
export async function ask(method, path, fields, { tries = 9, waiting = () => {}, pause = sleep } = {}) {
  for (let attempt = 1; ; attempt++) {
    const answer = await once(method, path, fields);
    if (![0, 502, 503, 504].includes(answer.status) || attempt === tries) return answer;
    waiting();
    await pause(Math.min(1000 * attempt, 5000));
  }
}

async function once(method, path, fields) {
  try {
    const response = await fetch(path, {
      method,
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PER_TRY_MS),
      ...(fields && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) }),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    // No network, no answer in time, or a proxy's own page in place of one.
    return { status: 0, body: {} };
  }
}

/** What went wrong, for the visitor. */
export function explanation({ body }) {
  return body.error?.message ?? "The service cannot be reached at the moment. Please try again in a minute.";
}

export function randomToken() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The two parts of a link that a browser has opened; undefined where one is missing or cut off. */
export function partsOf({ pathname, hash }) {
  const [, id] = /^\/s\/([\w-]{22})$/.exec(pathname) ?? [];
  const [, key] = /^#([\w-]{43})$/.exec(hash) ?? [];
  return id && key ? { id, key } : undefined;
}
