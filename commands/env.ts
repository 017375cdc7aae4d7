import { parseArgs } from "node:util";
import { DEFAULT_NAME } from "../sandbox/layout";
import { described, sessionOf } from "./cluster";
import { fail, UsageError } from "./errors";
import { exportsOf, removeSalt } from "./session";
import { STACKS } from "./stacks";

const HELP = `eval "$(npm run -s env)"

Prints the variables with which plain pulumi and kubectl work on the cluster.

  -- --name CLUSTER  which local cluster (default "${DEFAULT_NAME}")
  -- --context NAME  the cluster of yours that npm run up -- --context NAME works on`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      name: { type: "string", default: DEFAULT_NAME },
      context: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const session = await sessionOf(values);
  if (!session) throw new UsageError(`${described(values)} is not there yet: npm run up makes it`);
  for (const stack of STACKS) removeSalt(stack);
  console.log(exportsOf(session));
}

main(process.argv.slice(2)).catch(fail);
