import { parseArgs } from "node:util";
import { DEFAULT_NAME } from "../sandbox/layout";
import { described, isRunning, sessionOf } from "./cluster";
import { fail, UsageError } from "./errors";
import { Pulumi } from "./pulumi";
import { handOver, writeInstalls } from "./stackFile";
import { STACKS, checkStack } from "./stacks";

const HELP = `npm run handover -- --to NAME [--name CLUSTER] [--context NAME]

Gives what the cluster has once (cert-manager, External Secrets, the authority) from the stack that owns it to another, so that
the first can be taken down. Nothing on the cluster is removed or restarted; run it again when it was interrupted.

  --to NAME       the environment that shall own them: dev, qa or prod; its stack is up
  --name CLUSTER  which local cluster (default "${DEFAULT_NAME}")
  --context NAME  no local cluster: the one that this context of your kubeconfig names`;

/** The component with all that is below it, and the object that keeps its stack from being removed. */
const OWNED = /::platform:index:ClusterServices(\$|::)|::cluster-guard-mark$/;

const say = (line: string): void => console.error(line);

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      to: { type: "string" },
      name: { type: "string", default: DEFAULT_NAME },
      context: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const to = checkStack(values.to, "--to");
  const session = await sessionOf(values);
  if (!session || !(await isRunning(values)))
    throw new UsageError(`${described(values)} does not run: npm run up brings it up`);
  const receiver = new Pulumi(session, to);
  if (!(await receiver.exists()))
    throw new UsageError(`${described(values)} has no stack ${to}: npm run up -- --stack ${to} brings it up first`);

  const owned = new Map<string, readonly string[]>();
  for (const stack of STACKS) {
    const pulumi = new Pulumi(session, stack);
    if (!(await pulumi.exists())) continue;
    await pulumi.prepare();
    const urns = (await pulumi.urns()).filter((urn) => OWNED.test(urn));
    if (urns.length > 0) owned.set(stack, urns);
  }
  if (owned.size === 0)
    throw new UsageError(
      `no stack on ${described(values)} owns the cluster's services: platform:clusterServices: install in one of them, and npm run up`,
    );

  for (const [from, urns] of owned) {
    if (from === to) continue;
    const giver = new Pulumi(session, from);
    // The receiver has them already when an earlier run was killed before the giver's state was written.
    if (owned.has(to))
      for (const urn of [...urns].reverse()) await giver.read(["state", "delete", urn, "-s", from, "--force", "--yes"]);
    else await giver.read(["state", "move", ...urns, "--source", from, "--dest", to, "--yes"]);
    handOver(from, to);
    say(`stack ${from} no longer owns the cluster's services`);
  }
  writeInstalls(to);
  if ((await receiver.update()) !== 0)
    throw new Error(
      `stack ${to} owns the cluster's services now, but its update failed (above): mend the cause and run npm run handover again`,
    );
  say(`stack ${to} owns the cluster's services: commit the stack files, which say so now`);
}

main(process.argv.slice(2)).catch(fail);
