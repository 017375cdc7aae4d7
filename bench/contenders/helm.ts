import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import { type Contender, usualSteps } from "../contender";
import type { Command } from "../measure";
import { NAMESPACES } from "../objects";
import { environment, writeFiles } from "./files";

export const helm = (file: string, version: string): Contender => ({
  name: "helm",
  version,
  what: "helm upgrade --install of a chart with one file for each object; its preview is --dry-run=server; it has no refresh",
  steps: ({ dir, server }, sets) => {
    const env = environment(dir, server.kubeconfig);
    const command = (...args: string[]): Command => ({ words: [file, ...args], cwd: dir, env });
    const upgrade = ["upgrade", "--install", "bench", "chart", "--namespace", NAMESPACES[0]];
    return usualSteps(sets, {
      write: (objects) => {
        fs.rmSync(path.join(dir, "chart"), { recursive: true, force: true });
        const nameOf = (index: number): string => `chart/templates/object-${String(index).padStart(4, "0")}.yaml`;
        writeFiles(dir, {
          "chart/Chart.yaml": stringify({ apiVersion: "v2", name: "bench", version: "0.1.0" }),
          ...Object.fromEntries(
            objects.map((object, index) => [nameOf(index), stringify(object, { aliasDuplicateObjects: false })]),
          ),
        });
      },
      apply: () => [command(...upgrade)],
      preview: () => [command(...upgrade, "--dry-run=server")],
      destroy: () => [command("uninstall", "bench", "--namespace", NAMESPACES[0])],
    });
  },
});
