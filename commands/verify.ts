import { parseArgs } from "node:util";
import { CHECKS } from "../checks";
import { sweep } from "../checks/probe";
import { line, runChecks, summary } from "../checks/runner";
import { DEFAULT_NAME } from "../sandbox/layout";
import { fail } from "./errors";
import { removeSalt } from "./session";
import { checkStack } from "./stacks";
import { standing } from "./standing";

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

main(process.argv.slice(2)).catch(fail);
