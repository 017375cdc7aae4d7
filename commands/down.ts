import { parseArgs } from "node:util";
import { ENVIRONMENT_LABEL, SHARED } from "../components/lib/labels";
import { DEFAULT_NAME } from "../sandbox/layout";
import { existing } from "../sandbox/settings";
import { described, isRunning, sessionOf, takeDown } from "./cluster";
import { fail, UsageError } from "./errors";
import { forgetHosts } from "./hosts";
import { kubectl } from "./kubectl";
import { Pulumi } from "./pulumi";
import { released } from "./release";
import { type Session, removeSalt } from "./session";
import { installsServices, keepsData } from "./stackFile";
import { STACKS, checkStack } from "./stacks";

const HELP = `npm run down [-- --stack NAME] [--all] [--name CLUSTER] [--context NAME]

Removes what npm run up made.

  --stack NAME    the environment: dev (default), qa or prod
  --all           the local cluster too, with every environment on it
  --name CLUSTER  which local cluster (default "${DEFAULT_NAME}")
  --context NAME  no local cluster: the one that this context of your kubeconfig names`;

const say = (line: string): void => console.error(line);

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string", default: "dev" },
      all: { type: "boolean" },
      name: { type: "string", default: DEFAULT_NAME },
      context: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const stack = checkStack(values.stack);
  // With the cluster go its objects, and the state that speaks of them: nothing to take apart one by one.
  if (values.all) {
    for (const each of STACKS) removeSalt(each);
    return takeDown(values, say);
  }
  const session = await sessionOf(values);
  if (!session) return say(`nothing to remove: ${described(values)} is not there`);
  if (!(await isRunning(values)))
    throw new UsageError(`${described(values)} does not run: npm run down -- --all removes it, npm run up heals it`);
  const pulumi = new Pulumi(session, stack);
  if (!(await pulumi.exists())) return say(`nothing to remove: ${described(values)} has no stack ${stack}`);
  refuseWhileKept(stack);
  await refuseWhileNeeded(session, stack);
  await pulumi.prepare();
  const destroy = pulumi.run(["destroy", "-s", stack, "--yes", "--skip-preview"]);
  const code = await released(session, stack, destroy, say);
  if (code !== 0)
    throw new Error(`pulumi destroy -s ${stack} failed (above); run npm run down again once the cause is mended`);
  if (existing(values.name) && !values.context) await forgetHosts(session, values.name, stack);
  // The stack file describes the environment, not the stack: it stays.
  await pulumi.read(["stack", "rm", stack, "--yes", "--preserve-config"]);
}

/** As the stack's own guard does, which a plain pulumi destroy meets. */
function refuseWhileKept(stack: string): void {
  if (!keepsData(stack)) return;
  throw new UsageError(
    `stack ${stack} keeps its data, which would go with it: nothing was removed. If they may go, say data: delete under ` +
      `platform:profile in Pulumi.${stack}.yaml, update it (npm run up -- --stack ${stack}), and run npm run down again`,
  );
}

/** With the cluster's services gone, no other environment could renew a certificate or sync a secret. */
async function refuseWhileNeeded(session: Session, stack: string): Promise<void> {
  if (!installsServices(stack)) return;
  const others = (await environmentsOn(session)).filter((each) => each !== stack);
  if (others.length > 0)
    throw new UsageError(
      `stack ${stack} owns what the cluster has once (cert-manager, External Secrets), and ${others.join(" and ")} on it need that: ` +
        `nothing was removed. Take them down first, or everything with npm run down -- --all`,
    );
}

/** The environments with namespaces on the cluster. */
async function environmentsOn(session: Session): Promise<string[]> {
  const path = `jsonpath={.items[*].metadata.labels.${ENVIRONMENT_LABEL}}`;
  const found = await kubectl(session, ["get", "namespaces", "-l", ENVIRONMENT_LABEL, "-o", path]);
  return [...new Set(found.split(" "))].filter((each) => each && each !== SHARED);
}

main(process.argv.slice(2)).catch(fail);
