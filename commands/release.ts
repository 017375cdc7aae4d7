import { setTimeout as sleep } from "node:timers/promises";
import { kubectl } from "./kubectl";
import type { Session } from "./session";

const KIND = "externalsecrets.external-secrets.io";
/** Its controller, where it lives, takes a moment only. */
const PATIENCE_MS = 15_000;

interface Found {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
  };
}

/** Those that were deleted so long ago that whoever should let go of them is dead. */
export const abandoned = (items: readonly Found[], stack: string, now: number): Found["metadata"][] =>
  items
    .map(({ metadata }) => metadata)
    .filter(
      ({ namespace, deletionTimestamp, finalizers }) =>
        namespace.startsWith(`${stack}-`) &&
        Boolean(finalizers?.length) &&
        deletionTimestamp !== undefined &&
        now - Date.parse(deletionTimestamp) > PATIENCE_MS,
    );

/**
 * Waits for the removal of a stack. Synced secrets wait for their controller before they go; where that is dead they are let go
 * here, because the Secrets that it would clean up go with their namespaces.
 */
export async function released<T>(
  session: Session,
  stack: string,
  removal: Promise<T>,
  say: (line: string) => void,
): Promise<T> {
  let over = false;
  const watch = async (): Promise<void> => {
    for (; !over; await sleep(3000)) {
      const list = await kubectl(session, ["get", KIND, "-A", "-o", "json"]).catch(() => '{"items":[]}');
      const { items } = JSON.parse(list) as { items: Found[] };
      for (const { name, namespace } of abandoned(items, stack, Date.now())) {
        say(`External Secrets does not let go of ${namespace}/${name}: removing its finalizer`);
        const patch = ["--type=merge", "-p", '{"metadata":{"finalizers":null}}'];
        await kubectl(session, ["patch", KIND, name, "-n", namespace, ...patch]).catch((error: Error) =>
          say(error.message),
        );
      }
    }
  };
  const watching = watch();
  try {
    return await removal;
  } finally {
    over = true;
    await watching;
  }
}
