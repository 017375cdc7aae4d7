import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiServer } from "./apiServer";
import type { Kubeconfig } from "./kubeconfig";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** Says from which file a definition came, so that one that has not changed is left alone. */
const LABEL = "platform/definition";
const AT_ONCE = 4;
const PATIENCE_MS = 60_000;

interface Definition {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/**
 * Brings the definitions of custom resources to the cluster and waits until it serves them. They are megabytes, and Pulumi
 * writes its whole state twice with every step: they stay out of it. Nothing ever deletes one, because with a definition
 * every object of its kind would go, in every environment. Resolves to the names of those that changed.
 */
export async function applyDefinitions(kubeconfig: Kubeconfig, files: readonly string[]): Promise<string[]> {
  // A stack that uses what another installs has none, and may not look at them either.
  if (files.length === 0) return [];
  const api = new ApiServer(kubeconfig);
  const known = await appliedBefore(api);
  const changed = files.map(read).filter(({ name, version }) => known.get(name) !== version);
  const queue = [...changed];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) await applyOne(api, next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return changed.map(({ name }) => name);
}

interface Wanted {
  readonly name: string;
  readonly version: string;
  readonly body: string;
}

function read(file: string): Wanted {
  const text = fs.readFileSync(file, "utf8");
  const version = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const definition = JSON.parse(text) as Definition;
  const { name, labels } = definition.metadata;
  const metadata = { ...definition.metadata, labels: { ...labels, [LABEL]: version } };
  return { name, version, body: JSON.stringify({ ...definition, metadata }) };
}

async function appliedBefore(api: ApiServer): Promise<Map<string, string | undefined>> {
  const headers = { accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" };
  const url = `${DEFINITIONS}?labelSelector=${encodeURIComponent(LABEL)}`;
  const list = await api.ask<{ items: Definition[] }>(url, { method: "GET", headers });
  return new Map((list?.items ?? []).map(({ metadata }) => [metadata.name, metadata.labels?.[LABEL]]));
}

async function applyOne(api: ApiServer, { name, body }: Wanted): Promise<void> {
  const url = `${DEFINITIONS}/${name}`;
  const headers = { "content-type": "application/apply-patch+yaml" };
  let found = await api.ask<Definition>(`${url}?fieldManager=platform&force=true`, { method: "PATCH", headers, body });
  for (const end = Date.now() + PATIENCE_MS; !isServed(found); found = await api.ask<Definition>(url)) {
    if (Date.now() > end)
      throw new Error(
        `the cluster does not serve ${name} after ${PATIENCE_MS / 1000} s: see kubectl describe crd ${name}`,
      );
    await sleep(200);
  }
}

const isServed = (definition: Definition | undefined): boolean =>
  definition?.status?.conditions?.some(({ type, status }) => type === "Established" && status === "True") ?? false;
