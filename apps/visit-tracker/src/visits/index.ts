import { VisitCounter } from "./counter";
import { redisSettings } from "./settings";

const SHARED = Symbol.for("visit-tracker.counter");

/** The one counter of this process; Next.js loads this module once per bundle, so it is kept outside the module. */
export function counter(): VisitCounter {
  const shared = globalThis as { [SHARED]?: VisitCounter };
  return (shared[SHARED] ??= connect());
}

function connect(): VisitCounter {
  const made = new VisitCounter(redisSettings(process.env));
  // By then the server has finished its requests.
  process.once("exit", () => made.close());
  return made;
}
