import * as path from "node:path";
import type { Contender, Place } from "../contender";
import { usualSteps } from "../contender";
import type { Command } from "../measure";
import type { KubernetesObject, ObjectSets } from "../objects";
import { environment, leftOut, manifests, writeFiles } from "./files";

const OBJECTS = "objects.yaml";
const REMOVED = "removed.yaml";
const APPLY = ["apply", "--server-side", "--force-conflicts"] as const;

interface Ways {
  readonly write: (objects: readonly KubernetesObject[]) => void;
  readonly apply: readonly string[];
  readonly diff: readonly string[];
}

/** Steps of kubectl and of what is piped into it: they differ in how a file of objects comes about. */
function kubectlSteps(
  kubectl: string,
  { dir, server }: Place,
  sets: ObjectSets,
  ways: Ways,
): ReturnType<Contender["steps"]> {
  const env = environment(dir, server.kubeconfig);
  const command = (words: readonly string[], allowed = [0]): Command => ({ words, cwd: dir, env, allowed });
  const remove = command([kubectl, "delete", "-f", REMOVED]);
  return usualSteps(sets, {
    write: (objects) => {
      ways.write(objects);
      writeFiles(dir, { [REMOVED]: manifests(objects === sets.pruned ? leftOut(sets.tenth, objects) : objects) });
    },
    apply: (act) => [command(ways.apply), ...(act === "prune" ? [remove] : [])],
    preview: () => [command(ways.diff, [0, 1])],
    refresh: () => [command(ways.diff, [0, 1])],
    // The file of the act before: what is there now.
    destroy: () => [command([kubectl, "delete", "-f", OBJECTS])],
  });
}

const quoted = (word: string): string => `'${word.replace(/'/g, `'\\''`)}'`;
const piped = (...commands: readonly string[]): string[] => ["bash", "-o", "pipefail", "-c", commands.join(" | ")];

export const kubectl = (file: string, version: string): Contender => ({
  name: "kubectl",
  version,
  what: "kubectl apply and diff --server-side of one file; keeps no state, so that what is to go is deleted by name; refresh is its diff",
  steps: (place, sets) =>
    kubectlSteps(file, place, sets, {
      write: (objects) => writeFiles(place.dir, { [OBJECTS]: manifests(objects) }),
      apply: [file, ...APPLY, "-f", OBJECTS],
      diff: [file, "diff", "--server-side", "--force-conflicts", "-f", OBJECTS],
    }),
});

/** The one inside kubectl. */
export const kustomize = (file: string, version: string): Contender => ({
  name: "kustomize",
  version,
  what: "kubectl kustomize piped into kubectl apply and diff --server-side; otherwise as kubectl",
  steps: (place, sets) => {
    const build = `${quoted(file)} kustomize overlay`;
    return kubectlSteps(file, place, sets, {
      write: (objects) =>
        writeFiles(place.dir, {
          [OBJECTS]: manifests(objects),
          "base/objects.yaml": manifests(objects),
          "base/kustomization.yaml": "resources: [objects.yaml]\n",
          "overlay/kustomization.yaml": "resources: [../base]\n",
        }),
      apply: piped(build, `${quoted(file)} ${APPLY.join(" ")} -f -`),
      diff: piped(build, `${quoted(file)} diff --server-side --force-conflicts -f -`),
    });
  },
});

/** Synthesised by a plain Node program with the library alone: its command line adds only to this. */
export const cdk8s = (file: string, packages: string, program: string, version: string): Contender => ({
  name: "cdk8s",
  version,
  what: "a cdk8s program on Node, then kubectl apply and diff --server-side of what it wrote; otherwise as kubectl",
  steps: (place, sets) => {
    const synth = `NODE_PATH=${quoted(path.join(packages, "node_modules"))} ${quoted(process.execPath)} ${quoted(program)}`;
    const then = (rest: string): string[] => ["bash", "-c", `${synth} && ${quoted(file)} ${rest} -f dist`];
    return kubectlSteps(file, place, sets, {
      write: (objects) =>
        writeFiles(place.dir, { [OBJECTS]: manifests(objects), "objects.json": JSON.stringify(objects) }),
      apply: then(APPLY.join(" ")),
      diff: then("diff --server-side --force-conflicts"),
    });
  },
});
