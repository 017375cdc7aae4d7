import * as os from "node:os";
import type { Orders } from "../components/lib/releases/orders";
import { UsageError } from "./errors";

export const ORDER_OPTIONS = {
  "allow-lower": { type: "string", multiple: true },
  "allow-early": { type: "string", multiple: true },
  retry: { type: "string", multiple: true },
} as const;

interface Given {
  readonly "allow-lower"?: string[];
  readonly "allow-early"?: string[];
  readonly retry?: string[];
}

/** What a command's options want of the update. */
export function ordersOf(given: Given): Partial<Orders> {
  return {
    allowLower: reasons("--allow-lower", given["allow-lower"]),
    allowEarly: reasons("--allow-early", given["allow-early"]),
    retry: given.retry ?? [],
    by: whoAsks(),
  };
}

function reasons(option: string, given: readonly string[] = []): Record<string, string> {
  const entries = given.map((text) => {
    const [, app, reason] = /^([^=]+)=(.*\S.*)$/s.exec(text) ?? [];
    if (!app || !reason)
      throw new UsageError(`${option} "${text}": take ${option} APP=REASON, as the reason is written down`);
    return [app, reason] as const;
  });
  return Object.fromEntries(entries);
}

/** In a workflow it is not the machine's user who decides. */
export const whoAsks = (env: NodeJS.ProcessEnv = process.env): string => env.GITHUB_ACTOR || os.userInfo().username;
