import { parseArgs } from "node:util";
import { CHECKS } from "../checks";
import { sweep } from "../checks/probe";
import { line, runChecks, summary } from "../checks/runner";
import { Stand } from "../checks/stand";
import { DEFAULT_NAME } from "../sandbox/layout";
import { type Choice, described, isRunning, sessionOf } from "./cluster";
import { fail, UsageError } from "./errors";
import { Pulumi } from "./pulumi";
import { ROOT, removeSalt } from "./session";
import { checkStack } from "./stacks";

/** Most of a check is waiting for others. */

const HELP = `npm run verify [-- --stack NAME] [--name CLUSTER] [--context NAME] [--json]

Looks at a running stack from outside and says, by the id of each requirement, what holds. It changes nothing that anybody
uses: pods that it makes are its own and go with it.

  --stack NAME    the environment: dev (default), qa or prod
  --name CLUSTER  which local cluster (default "${DEFAULT_NAME}")
  --context NAME  no local cluster: the one that this context of your kubeconfig names
  --json          an array of {id, title, status: "pass"|"fail"|"skip", seconds, detail}

Exit code 0 if nothing failed, 1 if something did, 2 if there is nothing to look at or the call was wrong.`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string", default: "dev" },
      name: { type: "string", default: DEFAULT_NAME },
      context: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const stand = await standing(checkStack(values.stack), values);
  const leave = (): void => void sweep(stand).finally(() => process.exit(130));
  process.once("SIGINT", leave);
  try {
    const outcomes = await runChecks(CHECKS, stand, {
      report: (outcome) => values.json || console.log(line(outcome)),
    });
    console.log(values.json ? JSON.stringify(outcomes, null, 2) : summary(outcomes));
    if (outcomes.some(({ status }) => status === "fail")) process.exitCode = 1;
  } finally {
    process.off("SIGINT", leave);
    await sweep(stand);
    removeSalt(stand.stack);
  }
}

/** The stack, if it is up, on the cluster it belongs to. */
async function standing(stack: string, choice: Choice): Promise<Stand> {
  const flag = choice.context ? ` --context ${choice.context}` : "";
  const remedy = `npm run up -- --stack ${stack}${flag} brings it up`;
  const session = await sessionOf(choice);
  if (!session) throw new UsageError(`${described(choice)} is not there: ${remedy}`);
  if (!(await isRunning(choice))) throw new UsageError(`${described(choice)} does not run: ${remedy}`);
  const pulumi = new Pulumi(session, stack);
  if (!(await pulumi.exists())) throw new UsageError(`${described(choice)} has no stack ${stack}: ${remedy}`);
  const stand = new Stand(stack, pulumi.env, ROOT);
  const { endpoints, namespaces, cluster } = await stand.outputs();
  if (!endpoints || !namespaces || !cluster)
    throw new UsageError(`stack ${stack} has no outputs, so that it never came up to its end: ${remedy}`);
  const { uid } = await stand.facts();
  if (uid !== cluster.uid)
    throw new UsageError(
      `stack ${stack} belongs to cluster ${cluster.uid}, and ${described(choice)} is ${uid}: nothing was done`,
    );
  return stand;
}

main(process.argv.slice(2)).catch(fail);
