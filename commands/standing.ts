import { Stand } from "../checks/stand";
import { type Choice, described, isRunning, sessionOf } from "./cluster";
import { UsageError } from "./errors";
import { Pulumi } from "./pulumi";
import { ROOT } from "./session";

/** The stack, if it is up, on the cluster it belongs to. */
export async function standing(stack: string, choice: Choice): Promise<Stand> {
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
