import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Layout } from "./layout";

/** What a cluster was given that came up: a hash of its own parts. */
const fileOf = (layout: Pick<Layout, "dir">): string => path.join(layout.dir, "given");
const hashOf = (given: readonly string[]): string => createHash("sha256").update(JSON.stringify(given)).digest("hex");

export const remember = (layout: Pick<Layout, "dir">, given: readonly string[]): void =>
  fs.writeFileSync(fileOf(layout), hashOf(given));

interface Found {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly spec?: { readonly replicas?: number; readonly podCIDR?: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
  };
}

/**
 * Whether the cluster was given just this, and all nodes and its own deployments are well: then there is nothing to wait for.
 * One question in place of a dozen.
 */
export async function isSettled(
  layout: Pick<Layout, "dir" | "nodes">,
  given: readonly string[],
  ask: (args: readonly string[]) => Promise<string>,
  deployments: readonly string[],
): Promise<boolean> {
  const file = fileOf(layout);
  if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== hashOf(given)) return false;
  const list = await ask(["get", "nodes,deployments", "-A", "-o", "json", "--request-timeout=5s"]).catch(() => "");
  if (!list) return false;
  const { items } = JSON.parse(list) as { items: Found[] };
  const well = new Set(items.filter(isWell).map(({ metadata }) => metadata.name));
  return [...layout.nodes.map(({ name }) => name), ...deployments].every((name) => well.has(name));
}

function isWell({ kind, metadata, spec, status }: Found): boolean {
  if (kind === "Node")
    return (
      Boolean(spec?.podCIDR) && Boolean(status?.conditions?.some((is) => is.type === "Ready" && is.status === "True"))
    );
  const replicas = spec?.replicas ?? 1;
  return (
    status?.observedGeneration === metadata.generation &&
    status?.readyReplicas === replicas &&
    status.updatedReplicas === replicas
  );
}
