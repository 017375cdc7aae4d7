import { counter } from "./visits";
import { log } from "./visits/log";

export function start(): void {
  try {
    counter();
  } catch (cause) {
    log("error", `cannot start: ${(cause as Error).message}`);
    process.exit(1);
  }
}
