import { parseArgs } from "node:util";
import { type Recorded, historyOf } from "../components/lib/releases/record";
import { DEFAULT_NAME } from "../sandbox/layout";
import { described, isRunning, sessionOf } from "./cluster";
import { deployingSession } from "./deployingSession";
import { fail, UsageError } from "./errors";
import { whoAsks } from "./orders";
import { Pulumi } from "./pulumi";
import { type Histories, goesBackTo, listOf } from "./releaseList";
import { checkStack } from "./stacks";
import { update } from "./update";

const HELP = `npm run rollback -- --stack NAME [APP] [--list] [--reason TEXT] [--name CLUSTER] [--context NAME]

Brings an application back to its last release that was good, image and settings, without a build. What it leaves is recorded as
rejected, with the reason: npm run up holds it back until it changes, or until --retry APP. Other applications stay as they are.

  --stack NAME    the environment: dev, qa or prod
  --list          only shows what each application runs, ran, and what was rejected; so does a call without APP
  --reason TEXT   why; it is written down
  --name CLUSTER  which local cluster (default "${DEFAULT_NAME}")
  --context NAME  no local cluster: the one that this context of your kubeconfig names`;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      stack: { type: "string" },
      list: { type: "boolean" },
      reason: { type: "string", default: "rolled back by hand" },
      name: { type: "string", default: DEFAULT_NAME },
      context: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const stack = checkStack(values.stack);
  const [app, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`"${more.join(" ")}": one application at a time`);
  if (!values.reason.trim()) throw new UsageError("--reason is empty: say why, as it is written down");
  const session = await sessionOf(values);
  if (!session || !(await isRunning(values)))
    throw new UsageError(`${described(values)} does not run: npm run up brings it up`);
  const deploying = await deployingSession(session, stack);
  const pulumi = new Pulumi(deploying, stack);
  if (!(await pulumi.exists())) throw new UsageError(`${described(values)} has no stack ${stack}: nothing was done`);
  const histories = await historiesOf(pulumi);
  if (values.list || app === undefined) return console.log(listOf(stack, histories));
  const target = goesBackTo(stack, app, histories);
  console.error(`${app} goes back to ${target}: ${values.reason}`);
  await pulumi.prepare();
  await update(deploying, stack, { rollBack: { [app]: values.reason }, by: whoAsks() }, (line) => console.error(line));
  console.log(listOf(stack, await historiesOf(pulumi)));
}

async function historiesOf(pulumi: Pulumi): Promise<Histories> {
  const recorded = (await pulumi.outputs()) as Recorded;
  const apps = Object.keys({ ...recorded.releases, ...recorded.history });
  return Object.fromEntries(apps.map((app) => [app, historyOf(app, recorded)]));
}

main(process.argv.slice(2)).catch(fail);
