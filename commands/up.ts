import { parseArgs } from "node:util";
import { kubectl } from "../sandbox/addons";
import { DEFAULT_NAME, Layout, filesOf } from "../sandbox/layout";
import { up as sandboxUp } from "../sandbox/up";
import { ensure } from "../toolchain";
import { fail, UsageError } from "./errors";
import { Pulumi } from "./pulumi";
import { PROGRAM_ITEMS, Session, sandboxSession } from "./session";
import { writeSandboxTarget } from "./target";

const HELP = `npm run up [-- --stack NAME] [--name SANDBOX]

From this machine as it is to the running platform: tools, a local cluster, and the stack on it.

  --stack NAME    the environment: dev (default), qa or prod
  --name SANDBOX  which local cluster (default "${DEFAULT_NAME}")`;

const say = (line: string): void => console.error(line);

/** Brings the machine's part of a target up and gives the variables to work on it. */
async function sandboxTarget(name: string): Promise<{ layout: Layout; session: Session }> {
  const toolchain = await ensure(PROGRAM_ITEMS);
  const layout = await sandboxUp({ name, docker: true, say });
  const { kubeconfig } = filesOf(layout.dir);
  const uid = await kubectl(toolchain.bin("kubectl"), kubeconfig, [
    "get",
    "namespace",
    "kube-system",
    "-o",
    "jsonpath={.metadata.uid}",
  ]);
  await writeSandboxTarget(layout, uid, say);
  return { layout, session: sandboxSession(layout, toolchain) };
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string", default: "dev" },
      name: { type: "string", default: DEFAULT_NAME },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const { stack } = values;
  if (!["dev", "qa", "prod"].includes(stack))
    throw new UsageError(`"${stack}" is no environment: take --stack dev, qa or prod`);
  const { session } = await sandboxTarget(values.name);
  const pulumi = new Pulumi(session, stack);
  await pulumi.prepare();
  const pack = ["--policy-pack", "policy", "--policy-pack-config", `policy/config/${stack}.json`];
  const code = await pulumi.run(["up", "-s", stack, "--yes", "--suppress-outputs", ...pack]);
  if (code !== 0)
    throw new Error(`pulumi up -s ${stack} failed (above); nothing is lost: mend the cause and run npm run up again`);
  await report(pulumi, stack);
}

async function report(pulumi: Pulumi, stack: string): Promise<void> {
  const outputs = JSON.parse(await pulumi.read(["stack", "output", "-s", stack, "--json"])) as {
    endpoints?: Record<string, string>;
  };
  const endpoints = Object.entries(outputs.endpoints ?? {}).map(([name, url]) => `  ${name.padEnd(16)} ${url}`);
  console.log(
    [
      "",
      `${stack} is up:`,
      ...endpoints,
      "",
      "Next:",
      `  curl ${Object.values(outputs.endpoints ?? {})[0] ?? ""}`,
      '  eval "$(npm run -s env)"     then pulumi and kubectl work in this shell',
      `  npm run down                 removes ${stack}; npm run down -- --all the cluster too`,
    ].join("\n"),
  );
}

main(process.argv.slice(2)).catch(fail);
