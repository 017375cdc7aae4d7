import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from ".";
import { definitionsBelow } from "./crdItem";
import type { CustomResourceDefinition } from "./crdSchema";
import type { EnsureOptions } from "./settings";

export type { CustomResourceDefinition } from "./crdSchema";

/** Those with definitions of their own, which the item `crds-<component>` brings. */
export const CRD_COMPONENTS = ["cert-manager", "external-secrets", "gateway-api", "prometheus-operator"] as const;
export type CrdComponent = (typeof CRD_COMPONENTS)[number];

/** Brings the definitions to this machine; gives the directory of each component's, for the target file. */
export async function ensureCrds(options: EnsureOptions = {}): Promise<Record<CrdComponent, string>> {
  const itemOf = (component: CrdComponent): string => `crds-${component}`;
  const toolchain = await ensure(CRD_COMPONENTS.map(itemOf), options);
  const directories = CRD_COMPONENTS.map((one) => [one, definitionsBelow(toolchain.dir(itemOf(one)))] as const);
  return Object.fromEntries(directories) as Record<CrdComponent, string>;
}

/** The definitions in such a directory, in the order of their names: ready to be a resource's arguments. */
export function readCrds(directory: string): CustomResourceDefinition[] {
  let names: string[];
  try {
    names = fs.readdirSync(directory).filter((name) => name.endsWith(".json"));
  } catch {
    names = [];
  }
  if (names.length === 0)
    throw new Error(`${directory} holds no definitions: bring them with npm run up, or npm run toolchain -- build`);
  return names
    .sort()
    .map((name) => JSON.parse(fs.readFileSync(path.join(directory, name), "utf8")) as CustomResourceDefinition);
}
