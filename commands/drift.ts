import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { type Findings, findDrift } from "../drift";
import { DEFAULT_NAME } from "../sandbox/layout";
import { ensure } from "../toolchain";
import { type Choice, described, isRunning, sessionOf } from "./cluster";
import { deployingSession } from "./deployingSession";
import { driftSummary, driftText } from "./driftReport";
import { fail, UsageError } from "./errors";
import { Pulumi } from "./pulumi";
import { PROGRAM_ITEMS, type Session, toolSession } from "./session";
import { checkStack } from "./stacks";

const HELP = `npm run drift -- --stack NAME [--json] [--summary FILE] [--name CLUSTER] [--context NAME]

Compares what the last update wanted with what there is, and says of each object that differs: which field, what is wanted
and found, and who changed it. Changes nothing, also not the state. npm run up puts things back.

Works on the backend and the cluster of PULUMI_BACKEND_URL and KUBECONFIG where both are set, else on the local cluster.

  --stack NAME    the environment: dev, qa or prod
  --json          {stack, compared, drift: [{kind, namespace, name, change, path, wanted, found, manager, time}], undecided}
  --summary FILE  write what was found as Markdown
  --name CLUSTER  which local cluster (default "${DEFAULT_NAME}")
  --context NAME  no local cluster: the one that this context of your kubeconfig names

Exit code 0 if nothing differs, 1 if something does, 2 if that could not be decided or the call was wrong.`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string" },
      json: { type: "boolean" },
      summary: { type: "string" },
      name: { type: "string", default: DEFAULT_NAME },
      context: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const stack = checkStack(values.stack);
  const pulumi = new Pulumi(await sessionFor(values, stack), stack);
  if (!(await pulumi.exists()))
    throw new UsageError(`there is no stack ${stack}: npm run up -- --stack ${stack} makes it`);
  const findings = await findDrift(pulumi.env, await pulumi.resources());
  console.log(values.json ? JSON.stringify({ stack, ...findings }, null, 2) : driftText(stack, findings));
  if (values.summary) fs.writeFileSync(values.summary, driftSummary(stack, findings));
  process.exitCode = codeOf(findings);
}

/** What differs for certain counts, also where something else could not be seen. */
const codeOf = ({ drift, undecided }: Findings): number => (drift.length > 0 ? 1 : undecided.length > 0 ? 2 : 0);

async function sessionFor(choice: Choice, stack: string): Promise<Session> {
  const { PULUMI_BACKEND_URL: backend, KUBECONFIG: kubeconfig } = process.env;
  if (backend && kubeconfig && !choice.context) return toolSession(await ensure(PROGRAM_ITEMS));
  const session = await sessionOf(choice);
  if (!session) throw new UsageError(`${described(choice)} is not there: npm run up makes it`);
  if (!(await isRunning(choice))) throw new UsageError(`${described(choice)} does not run: npm run up heals it`);
  return deployingSession(session, stack);
}

main(process.argv.slice(2)).catch((error: Error) => {
  fail(error);
  // 1 says that something differs.
  process.exitCode = 2;
});
