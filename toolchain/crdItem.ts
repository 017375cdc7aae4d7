import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { UPSTREAM } from "./crdOrigins";
import { type CustomResourceDefinition, leanDefinition } from "./crdSchema";
import { exclusively } from "./exclusive";
import { buildEnvironment, goProgram } from "./go";
import { downloadModule } from "./goModule";
import type { ModuleSource } from "./lock";
import type { Making } from "./making";

const DEFINITIONS = "share/crds";

/** Copies the files out of the module that a machine without the publisher builds the component from anyway. */
export async function makeFromModule(source: ModuleSource, making: Making): Promise<void> {
  const { settings, stage } = making;
  await exclusively(
    path.join(settings.cache.locks, "go-build"),
    () => {
      const module = `${source.module}@${source.version}`;
      const { directory } = downloadModule(module, goProgram(settings), buildEnvironment(settings));
      for (const [name, sum] of Object.entries(source.files)) {
        const content = fs.readFileSync(path.join(directory, source.directory, name));
        const got = crypto.createHash("sha256").update(content).digest("hex");
        if (got !== sum)
          throw new Error(
            `checksum mismatch of ${source.directory}/${name} in ${module}\n` +
              `  expected sha256 ${sum} (from toolchain/lock.json)\n  got      sha256 ${got}`,
          );
        const target = path.join(stage, UPSTREAM, name);
        fs.mkdirSync(path.dirname(target), { recursive: true });
        fs.writeFileSync(target, content);
      }
      return Promise.resolve();
    },
    making.onWait,
  );
}

/** Turns upstream's files in an item's stage into one lean file per definition. JSON, which a program reads in no time. */
export function placeDefinitions(stage: string): void {
  const upstream = path.join(stage, UPSTREAM);
  const target = definitionsBelow(stage);
  fs.mkdirSync(target, { recursive: true });
  for (const name of fs.readdirSync(upstream).sort()) {
    const definition = parse(fs.readFileSync(path.join(upstream, name), "utf8")) as CustomResourceDefinition;
    if (definition.kind !== "CustomResourceDefinition")
      throw new Error(`${name} holds a ${definition.kind}, not a CustomResourceDefinition`);
    const lean = leanDefinition(definition);
    fs.writeFileSync(path.join(target, `${lean.metadata.name}.json`), `${JSON.stringify(lean)}\n`);
  }
  fs.rmSync(upstream, { recursive: true });
}

export function definitionsBelow(item: string): string {
  return path.join(item, DEFINITIONS);
}
