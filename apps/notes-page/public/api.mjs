const PER_TRY_MS = 10_000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks the backend, and again for half a minute while it says that it cannot, or nothing: a database may just be starting
 * anew. Gives the status, 0 where there was no answer, and what came.
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
      signal: AbortSignal.timeout(PER_TRY_MS),
      ...(fields && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) }),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    // No network, no answer in time, or a proxy's own page in place of one.
    return { status: 0, body: {} };
  }
}

/** Under an id of its own, so that a note whose answer was lost is not kept twice. */
export const keep = (text, options) => ask("POST", "/api/notes", { id: crypto.randomUUID(), text }, options);

export const latest = (options) => ask("GET", "/api/notes", undefined, options);

/** What went wrong, for the visitor; nothing where nothing did. */
export function trouble({ status, body }) {
  if (status >= 200 && status < 300) return "";
  return body.error?.message ?? "The service cannot be reached at the moment. Please try again in a minute.";
}
