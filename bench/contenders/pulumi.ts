import * as fs from "node:fs";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import { changesNothing, eventsOf } from "../../commands/engineEvents";
import { foresight, logged, policyPack, updateArguments } from "../../commands/pulumiArguments";
import { ROOT, type Session, stateSession, toolSession } from "../../commands/session";
import type { Toolchain } from "../../toolchain";
import { type Contender, type Place, type Step, usualSteps } from "../contender";
import type { Command } from "../measure";
import type { ObjectSets } from "../objects";
import { environment, link, writeFiles } from "./files";

/** One of those that policy/config knows. */
const STACK = "dev";
const PROGRAMS = path.resolve(__dirname, "..", "programs");

interface Ways {
  readonly session: Session;
  readonly preview: readonly string[];
  readonly previewPack: readonly string[];
  /** What a user of it has as a rule. */
  readonly previewChange: readonly string[];
  /** One call after the other. */
  readonly up: (call: (args: readonly string[]) => Command, dir: string) => Command[];
  readonly refresh: readonly string[];
  readonly destroy: readonly string[];
  readonly only?: readonly Step["case"][];
}

const words = (args: readonly string[]): string[] => ["pulumi", ...args, "--non-interactive"];

function commandIn({ dir, server }: Place, session: Session): (args: readonly string[]) => Command {
  const env = environment(dir, server.kubeconfig, { ...session, ...stateSession(dir) });
  return (args) => ({ words: words(args), cwd: dir, env });
}

const writeObjects = (dir: string, objects: readonly unknown[]): void =>
  writeFiles(dir, { "objects.json": JSON.stringify(objects) });

function pulumiSteps(place: Place, sets: ObjectSets, ways: Ways): Step[] {
  const command = commandIn(place, ways.session);
  const steps = usualSteps(sets, {
    write: (objects) => writeObjects(place.dir, objects),
    apply: () => ways.up(command, place.dir),
    preview: () => [command(ways.previewChange)],
    more: [],
    refresh: () => [command(ways.refresh)],
    destroy: () => [command(ways.destroy)],
  });
  // Both ways of a preview of nothing, with the pack and without.
  const previews = ({ prepare }: Step): Step[] => [
    { case: "previewNoop", prepare, commands: [command(ways.preview)] },
    { case: "previewNoopPack", prepare, commands: [command(ways.previewPack)] },
  ];
  const all = steps.flatMap((step) => (step.case === "previewNoop" ? previews(step) : [step]));
  return ways.only ? all.filter((step) => ways.only?.includes(step.case)) : all;
}

const emptySteps = (place: Place, ways: Ways): Step[] => {
  const command = commandIn(place, ways.session);
  const prepare = (): void => writeObjects(place.dir, []);
  return [
    { case: "previewNoop", prepare, commands: [command(ways.preview)] },
    { case: "previewNoopPack", prepare, commands: [command(ways.previewPack)] },
  ];
};

function contender(
  about: Pick<Contender, "name" | "what" | "version">,
  ways: Ways,
  layOut: (dir: string) => void,
): Contender {
  return {
    ...about,
    setUp: (place) => {
      layOut(place.dir);
      writeObjects(place.dir, []);
      return [commandIn(place, ways.session)(["stack", "init", STACK, "--no-select"])];
    },
    steps: (place, sets) => pulumiSteps(place, sets, ways),
    ...(ways.only ? {} : { empty: (place: Place) => emptySteps(place, ways) }),
  };
}

/** A project folder whose program, packages, pack and runtime are the platform's own. */
function layOutOurs(dir: string): void {
  const { runtime } = parse(fs.readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8")) as { runtime: unknown };
  writeFiles(dir, { "Pulumi.yaml": stringify({ name: "bench", main: "index.ts", runtime }) });
  link(path.join(PROGRAMS, "ours", "index.ts"), path.join(dir, "index.ts"));
  for (const name of ["node_modules", "policy", "start", "package.json", "tsconfig.json"])
    link(path.join(ROOT, name), path.join(dir, name));
}

const yes = (...args: string[]): string[] => [...args, "-s", STACK, "--yes"];
const PREVIEW = ["preview", "-s", STACK];

/** As Pulumi.update() of the commands does it. */
function updateAsOurs(call: (args: readonly string[]) => Command, dir: string): Command[] {
  const log = path.join(dir, "events");
  const first = call([...foresight(STACK), ...logged(log)]);
  const preview = { ...first, env: { ...first.env, PULUMI_DEBUG_COMMANDS: "true" } };
  const isOver = (): boolean => {
    const nothing = changesNothing(eventsOf(log));
    fs.rmSync(log);
    return nothing;
  };
  return [preview, { ...call(updateArguments(STACK)), unless: isOver }];
}

const oursWays = (toolchain: Toolchain): Ways => ({
  session: toolSession(toolchain),
  preview: PREVIEW,
  previewPack: [...PREVIEW, ...policyPack(STACK)],
  previewChange: [...PREVIEW, ...policyPack(STACK)],
  up: updateAsOurs,
  refresh: [...yes("refresh"), "--skip-preview", "--suppress-outputs"],
  destroy: [...yes("destroy"), "--skip-preview"],
});

export const ours = (toolchain: Toolchain, version: string): Contender =>
  contender(
    {
      name: "ours",
      version,
      what: "a program with this project's runtime options, provider, rules and pack, called as npm run up calls Pulumi",
    },
    oursWays(toolchain),
    layOutOurs,
  );

export function oursFast(toolchain: Toolchain, version: string): Contender {
  const ways = oursWays(toolchain);
  const session = { ...ways.session, PULUMI_SKIP_CHECKPOINTS: "true" };
  const what = "as ours, but the state is written once, at the end (PULUMI_SKIP_CHECKPOINTS)";
  const only = ["first", "destroy"] as const;
  return contender({ name: "oursFast", version, what }, { ...ways, session, only }, layOutOurs);
}

export function plain(toolchain: Toolchain, packages: string, version: string): Contender {
  const { PULUMI_HOME = "", PATH = "" } = toolSession(toolchain);
  const pack = ["--policy-pack", "policy"];
  const ways: Ways = {
    // What would ask the internet is off, as it is for ours.
    session: {
      PATH,
      PULUMI_HOME,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    },
    preview: PREVIEW,
    previewPack: [...PREVIEW, ...pack],
    previewChange: PREVIEW,
    up: (call) => [call(yes("up"))],
    refresh: yes("refresh"),
    destroy: yes("destroy"),
  };
  const what =
    "a Pulumi program with every default (ts-node, default provider, preview before each up); its pack has one rule";
  return contender({ name: "plain", version, what }, ways, (dir) => {
    fs.cpSync(path.join(PROGRAMS, "plain"), dir, { recursive: true });
    writeFiles(dir, { "Pulumi.yaml": stringify({ name: "bench-plain", runtime: "nodejs" }) });
    link(path.join(packages, "node_modules"), path.join(dir, "node_modules"));
  });
}
