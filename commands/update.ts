import { ORDERS_VARIABLE, type Orders, ordersText } from "../components/lib/releases/orders";
import { Pulumi } from "./pulumi";
import { type Failure, Rollouts } from "./rollouts";
import type { Session } from "./session";

type Say = (line: string) => void;

/**
 * Updates a stack. Where a new version of an application never gets ready, the stack ends on the last one that was good, and
 * the other is recorded as rejected; the update has failed all the same, and says why.
 */
export async function update(session: Session, stack: string, orders: Partial<Orders>, say: Say): Promise<void> {
  const rollouts = new Rollouts(session, stack, say);
  const before = await rollouts.revisions();
  const run = (more: Partial<Orders> = {}): Promise<number> =>
    rollouts.during(() => ordered(session, stack, { ...orders, ...more }).update());
  if ((await run()) === 0) return;

  const failed: Record<string, Failure> = {};
  for (;;) {
    const known = await goodOnes(session, stack);
    const more = Object.entries(await rollouts.failures(before)).filter(([app]) => known.includes(app) && !failed[app]);
    if (more.length === 0) break;
    for (const [app, failure] of more) {
      failed[app] = failure;
      say(`${app} never got ready: going back to what was good before`);
    }
    if ((await run({ failed })) === 0) throw new Error(heldBack(stack, failed));
  }
  throw new Error(`pulumi up -s ${stack} failed (above); nothing is lost: mend the cause and run npm run up again`);
}

/** Pulumi on a stack, with what is wanted of one run beyond what the files say. */
export const ordered = (session: Session, stack: string, orders: Partial<Orders>): Pulumi =>
  new Pulumi({ ...session, [ORDERS_VARIABLE]: ordersText(orders) }, stack);

async function goodOnes(session: Session, stack: string): Promise<string[]> {
  const text = await new Pulumi(session, stack).read(["stack", "output", "-s", stack, "--json"]);
  return Object.keys((JSON.parse(text) as { releases?: object }).releases ?? {});
}

export const heldBack = (stack: string, failed: Readonly<Record<string, Failure>>): string =>
  [
    `${stack} runs what was good before, as a new version did not get ready:`,
    ...Object.entries(failed).map(([app, { image, reason }]) => `  ${app} (${image}): ${reason}`),
    `It is not tried again until it changes, or by npm run up -- --stack ${stack} ${Object.keys(failed)
      .map((app) => `--retry ${app}`)
      .join(" ")}`,
  ].join("\n");
