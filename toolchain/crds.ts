import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from ".";
import { definitionsBelow } from "./crdItem";
import type { EnsureOptions } from "./settings";

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

/** The files in such a directory, one definition each, in the order of their names. */
export function crdFiles(directory: string): string[] {
  const names = fs.existsSync(directory) ? fs.readdirSync(directory).filter((name) => name.endsWith(".json")) : [];
  if (names.length === 0)
    throw new Error(`${directory} holds no definitions: bring them with npm run up, or npm run toolchain -- build`);
  return names.sort().map((name) => path.join(directory, name));
}
