import { Faults } from "../faults";

/** What somebody wants of one update beyond what the files say. */
export interface Orders {
  /** Applications that may go to a lower version, and why. */
  readonly allowLower: Readonly<Record<string, string>>;
  /** Applications that need not have been healthy in the stage before for the set time, and why. */
  readonly allowEarly: Readonly<Record<string, string>>;
  /** Applications that are to try what was rejected. */
  readonly retry: readonly string[];
  /** Applications whose new version never got ready: its image, and the cause. */
  readonly failed: Readonly<Record<string, { readonly image: string; readonly reason: string }>>;
  /** Applications that go back to what was good before, and why. All others stay as they are. */
  readonly rollBack: Readonly<Record<string, string>>;
  /** All applications stay as they are, and none is made. */
  readonly infra: boolean;
  /** Who says so. */
  readonly by?: string;
  /** A preview fails where an update would be refused. */
  readonly check: boolean;
}

export const NO_ORDERS: Orders = {
  allowLower: {},
  allowEarly: {},
  retry: [],
  failed: {},
  rollBack: {},
  infra: false,
  check: false,
};

/** Our commands write them; so can whoever types `pulumi up`. */
export const ORDERS_VARIABLE = "PLATFORM_RELEASE";

export const ordersText = (orders: Partial<Orders>): string => JSON.stringify(orders);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isReason = (value: unknown): boolean => typeof value === "string" && value.trim() !== "";
const areReasons = (value: unknown): boolean => isObject(value) && Object.values(value).every(isReason);

const RULES: Readonly<Record<keyof Orders, { readonly sound: (value: unknown) => boolean; readonly allowed: string }>> =
  {
    allowLower: { sound: areReasons, allowed: "a reason for each application" },
    allowEarly: { sound: areReasons, allowed: "a reason for each application" },
    rollBack: { sound: areReasons, allowed: "a reason for each application" },
    retry: {
      sound: (value) => Array.isArray(value) && value.every(isReason),
      allowed: "a list of applications",
    },
    failed: {
      sound: (value) =>
        isObject(value) &&
        Object.values(value).every((each) => isObject(each) && isReason(each.image) && isReason(each.reason)),
      allowed: "an image and a reason for each application",
    },
    infra: { sound: (value) => typeof value === "boolean", allowed: "true or false" },
    by: { sound: isReason, allowed: "a name" },
    check: { sound: (value) => typeof value === "boolean", allowed: "true or false" },
  };

/** Reads them, for a stack with these applications. */
export function readOrders(text: string | undefined, apps: readonly string[]): Orders {
  if (!text) return NO_ORDERS;
  const faults = new Faults();
  const given = parsed(text);
  if (!isObject(given)) faults.add(ORDERS_VARIABLE, text, "an object in JSON");
  const orders = isObject(given) ? given : {};
  for (const [key, value] of Object.entries(orders)) {
    const rule = key in RULES ? RULES[key as keyof Orders] : undefined;
    if (!rule) faults.add(`${ORDERS_VARIABLE}.${key}`, value, `one of ${Object.keys(RULES).join(", ")}`);
    else if (!rule.sound(value)) faults.add(`${ORDERS_VARIABLE}.${key}`, value, rule.allowed);
    else if (!["by", "check", "infra"].includes(key))
      for (const app of Array.isArray(value) ? (value as string[]) : Object.keys(value as object))
        if (!apps.includes(app)) faults.add(`${ORDERS_VARIABLE}.${key}`, app, `one of ${apps.join(", ")}`);
  }
  faults.throwIfAny("what is wanted of this update has faults, and nothing was done", "Mend the command's options.");
  return { ...NO_ORDERS, ...orders };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
