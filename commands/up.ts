import { parseArgs } from "node:util";
import { DEFAULT_NAME } from "../sandbox/layout";
import { existing } from "../sandbox/settings";
import { bringUp } from "./cluster";
import { deployingSession } from "./deployingSession";
import { fail } from "./errors";
import { publishHosts } from "./hosts";
import { updateAndMend } from "./mending";
import { contentOf, wasPreviewed } from "./previewed";
import { Pulumi } from "./pulumi";
import { ROOT } from "./session";
import { checkStack } from "./stacks";
import { type Answering, welcome } from "./welcome";

const HELP = `npm run up [-- --stack NAME] [--name CLUSTER] [--context NAME]

From this machine as it is to the running platform: tools, a local cluster, and the stack on it. What hands changed on the
stack's objects is put back. What npm run preview found in order within the last hour, with nothing changed since, is not
previewed again.

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
  const content = async (): Promise<string> => contentOf(ROOT, session, await pulumi.states());
  const previewed = await wasPreviewed(session, stack, content);
  if (previewed) console.error(`${stack} was previewed as it is: updating without a second preview`);
  if ((await updateAndMend(pulumi, session, (line) => console.error(line), { previewed })) !== 0)
    throw new Error(
      `pulumi up -s ${stack} failed (above); nothing is lost: mend the cause and run npm run up again${pulumi.lockHint}`,
    );
  const outputs = (await pulumi.outputs()) as Answering;
  if (existing(values.name) && !values.context) await publishHosts(session, values.name, stack, outputs);
  console.log(welcome(stack, outputs));
}

main(process.argv.slice(2)).catch(fail);
