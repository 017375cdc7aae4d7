import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import type { KubernetesObject } from "../objects";

export function writeFiles(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
}

/** In the place of what another run may have left there. */
export function link(target: string, file: string): void {
  fs.rmSync(file, { force: true });
  fs.symlinkSync(target, file);
}

export const manifests = (objects: readonly KubernetesObject[]): string =>
  objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join("---\n");

/** For tools that keep no state: what to delete is what is wanted no more. */
export const leftOut = (from: readonly KubernetesObject[], kept: readonly KubernetesObject[]): KubernetesObject[] => {
  const nameOf = ({ kind, metadata }: KubernetesObject): string => `${kind} ${metadata.namespace} ${metadata.name}`;
  const names = new Set(kept.map(nameOf));
  return from.filter((object) => !names.has(nameOf(object)));
};

export const environment = (
  dir: string,
  kubeconfig: string,
  more: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  LANG: process.env.LANG,
  HOME: dir,
  KUBECONFIG: kubeconfig,
  ...more,
});
