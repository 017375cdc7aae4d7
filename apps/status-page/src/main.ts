import { log } from "./log";
import { WebServer } from "./server";
import { type Settings, settings } from "./settings";
import { Watch } from "./watch";

const FINISH_MS = 10_000;

async function serve(given: Settings): Promise<void> {
  const watch = new Watch(given);
  const server = new WebServer(watch);
  const stop = async (signal: string): Promise<void> => {
    log("info", `stopping after ${signal}`);
    await Promise.all([watch.stop(), server.stop(FINISH_MS)]);
    log("info", "stopped");
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void stop(signal));
  const port = await server.listen(given.port, given.host);
  await watch.start();
  log("info", `listening on port ${port}, watching ${given.endpoints.length} endpoints`);
}

function fail(what: string): (error: unknown) => never {
  return (error) => {
    log("error", `${what}: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  };
}

process.on("uncaughtException", fail("broken off"));
process.on("unhandledRejection", fail("broken off"));
try {
  serve(settings(process.env)).catch(fail("cannot start"));
} catch (error) {
  fail("cannot start")(error);
}
