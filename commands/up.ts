import { parseArgs } from "node:util";
import { DEFAULT_NAME } from "../sandbox/layout";
import { existing } from "../sandbox/settings";
import { bringUp } from "./cluster";
import { deployingSession } from "./deployingSession";
import { fail } from "./errors";
import { publishHosts } from "./hosts";
import { Pulumi } from "./pulumi";
import { checkStack } from "./stacks";
import { type Answering, welcome } from "./welcome";

const HELP = `npm run up [-- --stack NAME] [--name CLUSTER] [--context NAME]

From this machine as it is to the running platform: tools, a local cluster, and the stack on it.

  --stack NAME    the environment: dev (default), qa or prod
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
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const stack = checkStack(values.stack);
  const session = await deployingSession(await bringUp(values, (line) => console.error(line)), stack);
  const pulumi = new Pulumi(session, stack);
  await pulumi.prepare();
  if ((await pulumi.update()) !== 0)
    throw new Error(`pulumi up -s ${stack} failed (above); nothing is lost: mend the cause and run npm run up again`);
  const outputs = JSON.parse(await pulumi.read(["stack", "output", "-s", stack, "--json"])) as Answering;
  if (existing(values.name) && !values.context) await publishHosts(session, values.name, stack, outputs);
  console.log(welcome(stack, outputs));
}

main(process.argv.slice(2)).catch(fail);
