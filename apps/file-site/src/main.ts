import { log, origin } from "./log";
import { type Settings, settings } from "./settings";
import { Site } from "./site";
import { Store } from "./store";

/** Between saying that it is not ready and taking no more connections. */
const NOTICE_MS = 1000;
const FINISH_MS = 20_000;

async function serve({ port, host, store: where }: Settings): Promise<void> {
  const store = new Store(where);
  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log("info", `stopping after ${reason}`);
    await site.stop(NOTICE_MS, FINISH_MS);
    store.close();
    log("info", "stopped");
  };
  // A key that was changed is known to a process that starts.
  const site = new Site(store, (reason) => {
    process.exitCode = 1;
    void stop(reason);
  });
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void stop(signal));
  log("info", `listening on port ${await site.listen(port, host)}`);
}

function fail(error: unknown): never {
  log("error", `broken off: ${origin(error)}`);
  process.exit(1);
}

function start(): void {
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  let given: Settings;
  try {
    given = settings(process.env);
  } catch (cause) {
    log("error", `cannot start: ${(cause as Error).message}`);
    process.exit(1);
  }
  serve(given).catch((error: NodeJS.ErrnoException) => {
    log("error", `cannot listen on port ${given.port}: ${error.code ?? origin(error)}`);
    process.exit(1);
  });
}

start();
