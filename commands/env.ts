import { parseArgs } from "node:util";
import { DEFAULT_NAME } from "../sandbox/layout";
import { existing } from "../sandbox/settings";
import { ensure } from "../toolchain";
import { fail, UsageError } from "./errors";
import { PROGRAM_ITEMS, exportsOf, removeSalt, sandboxSession } from "./session";

const HELP = `eval "$(npm run -s env)"

Prints the variables with which plain pulumi and kubectl work on the local cluster.

  -- --name SANDBOX  which local cluster (default "${DEFAULT_NAME}")`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { name: { type: "string", default: DEFAULT_NAME }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(HELP);
  const layout = existing(values.name);
  if (!layout) throw new UsageError(`sandbox "${values.name}" is not there yet: npm run up makes it`);
  for (const stack of ["dev", "qa", "prod"]) removeSalt(stack);
  console.log(exportsOf(sandboxSession(layout, await ensure(PROGRAM_ITEMS))));
}

main(process.argv.slice(2)).catch(fail);
