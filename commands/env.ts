import { parseArgs } from "node:util";
import { DEFAULT_NAME } from "../sandbox/layout";
import { described, sessionOf } from "./cluster";
import { deployingSession } from "./deployingSession";
import { fail, UsageError } from "./errors";
import { withPassphrase } from "./passphrase";
import { exportsOf, removeSalt } from "./session";
import { STACKS, checkStack } from "./stacks";

const HELP = `eval "$(npm run -s env)"

Prints the variables with which plain pulumi and kubectl work on the cluster.

  -- --stack NAME    as the account that this environment is deployed as, where it has one (platform:deployers)
  -- --name CLUSTER  which local cluster (default "${DEFAULT_NAME}")
  -- --context NAME  the cluster of yours that npm run up -- --context NAME works on`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string" },
      name: { type: "string", default: DEFAULT_NAME },
      context: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const stack = values.stack === undefined ? undefined : checkStack(values.stack);
  const session = await sessionOf(values);
  if (!session) throw new UsageError(`${described(values)} is not there yet: npm run up makes it`);
  for (const stack of STACKS) removeSalt(stack);
  if (!stack) return console.log(exportsOf(session));
  const { PULUMI_CONFIG_PASSPHRASE_FILE: file } = withPassphrase({ ...process.env, ...session }, stack);
  const passphrase: Record<string, string> = file ? { PULUMI_CONFIG_PASSPHRASE_FILE: file } : {};
  console.log(exportsOf({ ...(await deployingSession(session, stack)), ...passphrase }));
}

main(process.argv.slice(2)).catch(fail);
