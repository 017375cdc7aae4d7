import { parseArgs } from "node:util";
import { fail, UsageError } from "./errors";
import { down } from "../sandbox/down";
import { DEFAULT_NAME, Layout, checkName } from "../sandbox/layout";
import { kill, setConnected, stop } from "../sandbox/machine";
import { existing } from "../sandbox/settings";
import { describe, statusOf } from "../sandbox/status";
import { restart, up } from "../sandbox/up";

const HELP = `npm run sandbox -- COMMAND [--name NAME]

A local Kubernetes cluster of three nodes without Docker (Linux, root).

  up [--docker]     bring it up, or heal it; --docker adds a daemon for building images
  down              remove every trace of it
  status            machines of every sandbox on this machine

Faults, for tests; MACHINE is node1, node2, node3 or cp (the control plane):
  stop MACHINE      shut it down in order
  kill MACHINE      pull its plug
  start MACHINE     switch it on again
  partition MACHINE cut its network
  heal MACHINE      mend its network

NAME is "${DEFAULT_NAME}" unless given; sandboxes with different names live side by side.`;

const FAULTS = ["stop", "kill", "start", "partition", "heal"];

async function fault(layout: Layout, verb: string, machine: string | undefined): Promise<void> {
  const known = statusOf(layout).map((status) => status.machine);
  if (!machine || !known.includes(machine)) {
    throw new UsageError(
      `"${machine ?? ""}" is not a machine of sandbox "${layout.name}": take one of ${known.join(", ")}`,
    );
  }
  if (verb === "stop") await stop(layout, machine);
  if (verb === "kill") await kill(layout, machine);
  if (verb === "start") await restart(layout, machine);
  if (verb === "partition") setConnected(layout, machine, false);
  if (verb === "heal") setConnected(layout, machine, true);
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      name: { type: "string", default: DEFAULT_NAME },
      docker: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [verb, machine, ...rest] = positionals;
  if (values.help || !verb) return console.log(HELP);
  if (rest.length) throw new UsageError(`"${rest.join(" ")}" is too much: see npm run sandbox -- --help`);
  checkName(values.name);
  if (verb === "up") await up({ name: values.name, docker: values.docker });
  else if (verb === "down") await down(values.name);
  else if (verb === "status") console.log(describe());
  else if (FAULTS.includes(verb)) {
    const layout = existing(values.name);
    if (!layout)
      throw new UsageError(`sandbox "${values.name}" is not there: npm run sandbox -- up --name ${values.name}`);
    await fault(layout, verb, machine);
  } else throw new UsageError(`"${verb}" is not a command: take up, down, status, ${FAULTS.join(", ")}`);
}

main(process.argv.slice(2)).catch(fail);
