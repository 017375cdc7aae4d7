import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { DEFAULT_NAME } from "../sandbox/layout";
import { fail } from "./errors";
import { Place, previewPlace } from "./previewPlace";
import { previewSummary } from "./previewSummary";
import { contentOf, notePreview, notesPreviews } from "./previewed";
import { Pulumi } from "./pulumi";
import { policyPack } from "./pulumiArguments";
import { ROOT } from "./session";
import { STACKS, checkStack } from "./stacks";

const HELP = `npm run preview -- --stack NAME [--summary FILE] [--name SANDBOX]

Shows what an update of a stack would change, with the rules applied; changes nothing.

Compares with the backend and the cluster of PULUMI_BACKEND_URL and KUBECONFIG where both are set, else with the local
cluster where it runs, else with a kind cluster that is made for the preview and removed afterwards.

  --stack NAME    the environment: dev, qa or prod
  --summary FILE  write what was found as Markdown, also when the preview fails
  --name SANDBOX  which local cluster (default "${DEFAULT_NAME}")`;

interface Outcome {
  readonly code: number;
  readonly events: string;
}

async function preview(stack: string, place: Place): Promise<Outcome> {
  if (place.own) {
    for (const stage of STACKS.slice(0, STACKS.indexOf(stack) + 1)) {
      const pulumi = new Pulumi(place.session, stage);
      if (!(await pulumi.exists())) await pulumi.read(["stack", "init", stage, "--no-select"]);
    }
  }
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "platform-preview-"));
  try {
    const log = path.join(scratch, "events");
    // The log is the automation API's own channel; the command line offers it under this variable.
    const pulumi = new Pulumi({ ...place.session, PULUMI_DEBUG_COMMANDS: "true" }, stack);
    const content = notesPreviews(place.session) ? contentOf(ROOT, place.session, await pulumi.states()) : undefined;
    const code = await pulumi.run(["preview", "-s", stack, "--diff", ...policyPack(stack), "--event-log", log]);
    if (code === 0 && content !== undefined) notePreview(place.session, stack, content);
    return { code, events: fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "" };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string" },
      summary: { type: "string" },
      name: { type: "string", default: DEFAULT_NAME },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const { summary } = values;
  const stack = checkStack(values.stack);
  const started = Date.now();
  const write = (against: string, outcome: Outcome, failure?: string): void => {
    const seconds = (Date.now() - started) / 1000;
    const { code, events } = outcome;
    const text = previewSummary({ stack, against, succeeded: code === 0, seconds, events, failure });
    if (summary) fs.writeFileSync(summary, text);
  };
  let place: Place | undefined;
  try {
    place = await previewPlace(values.name, stack, (line) => console.error(line));
    console.error(`previewing ${stack} against ${place.text}`);
    const outcome = await preview(stack, place);
    write(place.text, outcome);
    if (outcome.code !== 0) process.exitCode = 1;
  } catch (error) {
    write(place?.text ?? "nothing yet", { code: 1, events: "" }, (error as Error).message);
    throw error;
  } finally {
    await place?.close();
  }
}

main(process.argv.slice(2)).catch(fail);
