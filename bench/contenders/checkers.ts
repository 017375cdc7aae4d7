import type { Contender } from "../contender";
import type { Command } from "../measure";
import { environment, manifests, writeFiles } from "./files";

/** Tools that judge a file of manifests and touch no server. */
const checker = (
  about: Pick<Contender, "name" | "what" | "version">,
  words: readonly string[],
  allowed?: readonly number[],
): Contender => ({
  ...about,
  steps: ({ dir, server }, sets) => {
    const command: Command = { words, cwd: dir, env: environment(dir, server.kubeconfig), allowed };
    const prepare = (): void => writeFiles(dir, { "objects.yaml": manifests(sets.base) });
    return [{ case: "check", prepare, commands: [command] }];
  },
});

export const kubeScore = (file: string, version: string): Contender =>
  // It finds something to say about any image that it does not know.
  checker(
    { name: "kube-score", version, what: "kube-score score, its own rules" },
    [file, "score", "objects.yaml"],
    [0, 1],
  );
