import { parseArgs } from "node:util";
import { DEFAULT_NAME } from "../sandbox/layout";
import { existing } from "../sandbox/settings";
import { bringUp } from "./cluster";
import { deployingSession } from "./deployingSession";
import { fail } from "./errors";
import { publishHosts } from "./hosts";
import { ORDER_OPTIONS, ordersOf } from "./orders";
import { Pulumi } from "./pulumi";
import { checkStack } from "./stacks";
import { ordered, update } from "./update";
import { type Answering, welcome } from "./welcome";

const HELP = `npm run up [-- --stack NAME] [--check] [--infra] [--retry APP] [--allow-lower APP=REASON] [--allow-early APP=REASON]
                 [--name CLUSTER] [--context NAME]

From this machine as it is to the running platform: tools, a local cluster, and the stack on it.

  --stack NAME    the environment: dev (default), qa or prod
  --check         writes nothing: shows what would change, and fails where the update would be refused
  --infra         the platform without its applications: those that run stay as they are, and none is made
  --retry APP     tries a version again that was rejected
  --allow-lower APP=REASON
                  lets a lower version follow a higher one; the reason is written down
  --allow-early APP=REASON
                  does not ask how long the stage before has run it; the reason is written down
  --name CLUSTER  which local cluster (default "${DEFAULT_NAME}"): kind where Docker and the internet are at hand, else
                  the sandbox; PLATFORM_CLUSTER=kind or sandbox decides
  --context NAME  no local cluster: the one that this context of your kubeconfig names`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string", default: "dev" },
      name: { type: "string", default: DEFAULT_NAME },
      context: { type: "string" },
      check: { type: "boolean" },
      infra: { type: "boolean", default: false },
      ...ORDER_OPTIONS,
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const stack = checkStack(values.stack);
  const orders = { ...ordersOf(values), infra: values.infra };
  const session = await deployingSession(await bringUp(values, (line) => console.error(line)), stack);
  const pulumi = new Pulumi(session, stack);
  await pulumi.prepare();
  if (values.check) {
    if ((await ordered(session, stack, { ...orders, check: true }).preview()) === 0) return;
    throw new Error(`an update of ${stack} would be refused (above); nothing was written`);
  }
  await update(session, stack, orders, (line) => console.error(line));
  const outputs = JSON.parse(await pulumi.read(["stack", "output", "-s", stack, "--json"])) as Answering;
  if (existing(values.name) && !values.context) await publishHosts(session, values.name, stack, outputs);
  console.log(welcome(stack, outputs));
}

main(process.argv.slice(2)).catch(fail);
