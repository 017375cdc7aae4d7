import { parseArgs } from "node:util";
import { DEFAULT_NAME } from "../sandbox/layout";
import { fail, UsageError } from "./errors";
import { type Known, knownIn } from "./rotation/credentials";
import { Rotation } from "./rotation/rotate";
import { removeSalt } from "./session";
import { checkStack } from "./stacks";
import { standing } from "./standing";

const HELP = `npm run rotate -- --stack NAME CREDENTIAL… [--name CLUSTER] [--context NAME]
npm run rotate -- --stack NAME --list

Gives a credential another value in Vault, and sees it through: the servers take it beside the former one, the clients have it,
the former one is refused. No pod is restarted. Run it again where it was interrupted: it goes on, and makes no other value.

  --stack NAME    the environment: dev, qa or prod
  --list          what there is
  --name CLUSTER  which local cluster (default "${DEFAULT_NAME}")
  --context NAME  no local cluster: the one that this context of your kubeconfig names`;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      stack: { type: "string" },
      list: { type: "boolean" },
      name: { type: "string", default: DEFAULT_NAME },
      context: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const stand = await standing(checkStack(values.stack), values);
  try {
    const known = knownIn(stand.config);
    if (values.list) return console.log(listed(known));
    const chosen = chosenFrom(known, positionals);
    for (const credential of chosen) {
      const start = Date.now();
      const say = (line: string): void => console.log(`${credential.name}: ${line}`);
      await (await Rotation.of(stand, credential, say)).run();
      say(`done after ${Math.round((Date.now() - start) / 1000)} s`);
    }
  } finally {
    removeSalt(stand.stack);
  }
}

const listed = ({ credentials, byHand }: Known): string =>
  [
    ...credentials.map(({ name, what }) => `${name.padEnd(24)} ${what}`),
    ...(byHand.length > 0 ? ["", "By hand:"] : []),
    ...byHand.map(({ name, why }) => `${name.padEnd(24)} ${why}`),
  ].join("\n");

/** All of them, or a fault for each that is none. */
function chosenFrom(known: Known, names: readonly string[]): Known["credentials"] {
  const faults = names.flatMap((name) => {
    if (known.credentials.some((each) => each.name === name)) return [];
    const byHand = known.byHand.find((each) => each.name === name);
    return [byHand ? `${name} is not rotated by a command: ${byHand.why}` : `"${name}" is no credential of this stack`];
  });
  if (names.length === 0) faults.push("no credential is named");
  if (faults.length > 0)
    throw new UsageError(`${faults.join("\n")}\n\nTake one of these, nothing was changed:\n${listed(known)}`);
  return known.credentials.filter(({ name }) => names.includes(name));
}

main(process.argv.slice(2)).catch(fail);
