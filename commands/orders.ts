import * as os from "node:os";
import { ORDERS_VARIABLE, type Orders, ordersText } from "../components/lib/releases/orders";
import { UsageError } from "./errors";
import type { Session } from "./session";

export const ORDER_OPTIONS = {
  "allow-lower": { type: "string", multiple: true },
  "allow-early": { type: "string", multiple: true },
  retry: { type: "string", multiple: true },
  infra: { type: "boolean" },
} as const;

interface Given {
  readonly "allow-lower"?: string[];
  readonly "allow-early"?: string[];
  readonly retry?: string[];
  readonly infra?: boolean;
}

/** What a command's options want of the update; nothing where they are not given. */
export function ordersOf(given: Given): Partial<Orders> {
  const { "allow-lower": lower, "allow-early": early, retry, infra } = given;
  const orders: Partial<Orders> = {
    ...(lower ? { allowLower: reasons("--allow-lower", lower) } : {}),
    ...(early ? { allowEarly: reasons("--allow-early", early) } : {}),
    ...(retry ? { retry } : {}),
    ...(infra ? { infra } : {}),
  };
  return Object.keys(orders).length > 0 ? { ...orders, by: whoAsks() } : orders;
}

/** A session in which the program hears what is wanted of one run beyond what the files say. */
export const withOrders = (session: Session, orders: Partial<Orders>): Session =>
  Object.keys(orders).length > 0 ? { ...session, [ORDERS_VARIABLE]: ordersText(orders) } : session;

function reasons(option: string, given: readonly string[]): Record<string, string> {
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
