import * as path from "node:path";
import { type Contender, usualSteps } from "../contender";
import type { Command } from "../measure";
import { environment, writeFiles } from "./files";

/** The provider takes the objects as they are, by server-side apply. Its binary is named by a file, so that nothing asks a registry. */
export const tofu = (file: string, provider: string, version: string): Contender => ({
  name: "tofu",
  version,
  what: "tofu apply and plan with kubernetes_manifest; the newest provider that the Go module proxy has is of 2021",
  steps: ({ dir, server }, sets) => {
    writeFiles(dir, {
      "cli.tfrc": `provider_installation {\n  dev_overrides {\n    "hashicorp/kubernetes" = ${JSON.stringify(path.dirname(provider))}\n  }\n}\n`,
    });
    const env = environment(dir, server.plainKubeconfig, {
      TF_CLI_CONFIG_FILE: path.join(dir, "cli.tfrc"),
      CHECKPOINT_DISABLE: "1",
    });
    const command = (...args: string[]): Command => ({
      words: [file, ...args, "-input=false", "-no-color"],
      cwd: dir,
      env,
    });
    return usualSteps(sets, {
      write: (objects) =>
        writeFiles(dir, {
          "main.tf.json": JSON.stringify({
            terraform: { required_providers: { kubernetes: { source: "hashicorp/kubernetes" } } },
            provider: { kubernetes: { config_path: server.plainKubeconfig } },
            resource: {
              kubernetes_manifest: Object.fromEntries(
                objects.map((object) => [`${object.kind}-${object.metadata.name}`.toLowerCase(), { manifest: object }]),
              ),
            },
          }),
        }),
      apply: () => [command("apply", "-auto-approve")],
      preview: () => [command("plan")],
      refresh: () => [command("apply", "-refresh-only", "-auto-approve")],
      destroy: () => [command("destroy", "-auto-approve")],
    });
  },
});
