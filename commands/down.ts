import { parseArgs } from "node:util";
import { down as sandboxDown } from "../sandbox/down";
import { DEFAULT_NAME, filesOf } from "../sandbox/layout";
import { running } from "../sandbox/machine";
import { existing } from "../sandbox/settings";
import { CONTROL_PLANE } from "../sandbox/controlPlane";
import { ensure } from "../toolchain";
import { fail, UsageError } from "./errors";
import { Pulumi } from "./pulumi";
import { PROGRAM_ITEMS, sandboxSession } from "./session";
import * as fs from "node:fs";

const HELP = `npm run down [-- --stack NAME] [--all] [--name SANDBOX]

Removes what npm run up made.

  --stack NAME    the environment: dev (default), qa or prod
  --all           the local cluster too, with every environment on it
  --name SANDBOX  which local cluster (default "${DEFAULT_NAME}")`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string", default: "dev" },
      all: { type: "boolean" },
      name: { type: "string", default: DEFAULT_NAME },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const layout = existing(values.name);
  // With the cluster go its objects, and the state that speaks of them: nothing to take apart one by one.
  if (values.all) return sandboxDown(values.name);
  if (!layout || !fs.existsSync(filesOf(layout.dir).state))
    return console.error(`nothing to remove: there is no sandbox "${values.name}"`);
  if (!running(layout, CONTROL_PLANE)) {
    throw new UsageError(
      `the cluster of sandbox "${values.name}" does not run: npm run down -- --all removes it, npm run up heals it`,
    );
  }
  const pulumi = new Pulumi(sandboxSession(layout, await ensure(PROGRAM_ITEMS)), values.stack);
  if (!(await pulumi.exists()))
    return console.error(`nothing to remove: sandbox "${values.name}" has no stack ${values.stack}`);
  await pulumi.prepare();
  const code = await pulumi.run(["destroy", "-s", values.stack, "--yes", "--skip-preview"]);
  if (code !== 0)
    throw new Error(
      `pulumi destroy -s ${values.stack} failed (above); run npm run down again once the cause is mended`,
    );
}

main(process.argv.slice(2)).catch(fail);
