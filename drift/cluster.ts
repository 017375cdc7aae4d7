import { ApiServer } from "../components/lib/apiServer";
import type { Kubeconfig } from "../components/lib/kubeconfig";
import { type LiveObject, unasked } from "./compare";
import { type FieldSet, type Ownership, type Path, merged, only, ownerOf, valueAt, without } from "./fields";
import type { KubernetesObject, Wanted } from "./state";

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

const APPLY = { "content-type": "application/apply-patch+yaml" };
const MERGE = { "content-type": "application/merge-patch+json" };

/** A cluster's objects as server-side apply sees them. */
export class Cluster {
  private readonly api: ApiServer;
  private readonly lists = new Map<string, Promise<ResourceList | undefined>>();

  constructor(private readonly kubeconfig: Kubeconfig) {
    this.api = new ApiServer(kubeconfig, { keepAlive: true });
  }

  /** On any other cluster everything would look deleted. */
  async expect(uid: string | undefined): Promise<void> {
    const { metadata } = await this.api.get<{ metadata: { uid: string } }>("/api/v1/namespaces/kube-system");
    if (uid === undefined || metadata.uid === uid) return;
    const { server, context } = this.kubeconfig;
    throw new Error(
      `refused: the stack belongs to cluster ${uid}, but context "${context}" (${server}) is cluster ${metadata.uid}`,
    );
  }

  /** As it is; undefined where there is none. */
  async live({ object }: Wanted): Promise<LiveObject | undefined> {
    const url = await this.urlOf(object);
    return url === undefined ? undefined : this.api.ask<LiveObject>(url);
  }

  /** As it would be if the stack's word was applied once more; nothing is written. */
  async applied(wanted: Wanted, live: LiveObject): Promise<LiveObject> {
    return this.send(wanted, live, "&dryRun=All");
  }

  /**
   * Makes an object again what the stack wants. What hands have added is first written down as the stack's own, so that
   * applying without it takes it away.
   */
  async mend(wanted: Wanted, live: LiveObject | undefined): Promise<void> {
    const managedFields = live && takenOver(live.metadata.managedFields ?? [], wanted);
    if (live && managedFields) {
      const { resourceVersion } = live.metadata;
      const body = JSON.stringify({ metadata: { resourceVersion, managedFields } });
      await this.api.ask(await this.known(wanted.object), { method: "PATCH", headers: MERGE, body });
    }
    await this.send(wanted, live, "");
  }

  private async send(wanted: Wanted, live: LiveObject | undefined, more: string): Promise<LiveObject> {
    const manager = encodeURIComponent(wanted.fieldManager);
    const url = `${await this.known(wanted.object)}?force=true&fieldManager=${manager}${more}`;
    const body = JSON.stringify(leavingOthers(wanted, live));
    const result = await this.api.ask<LiveObject>(url, { method: "PATCH", headers: APPLY, body });
    if (!result) throw new Error(`it went away, or its namespace is gone`);
    return result;
  }

  private async known(object: KubernetesObject): Promise<string> {
    const url = await this.urlOf(object);
    if (url === undefined) throw new Error(`the cluster serves no ${object.kind} of ${object.apiVersion}`);
    return url;
  }

  private async urlOf({
    apiVersion,
    kind,
    metadata: { name, namespace },
  }: KubernetesObject): Promise<string | undefined> {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const asked = this.lists.get(root) ?? this.api.ask<ResourceList>(root);
    this.lists.set(root, asked);
    const found = (await asked)?.resources.find((each) => each.kind === kind && !each.name.includes("/"));
    if (!found) return undefined;
    const within = found.namespaced ? `/namespaces/${namespace ?? "default"}` : "";
    return `${root}${within}/${found.name}/${encodeURIComponent(name)}`;
  }
}

/** What the program leaves to others is sent as it is, or not at all where it is not the stack's any more. */
export function leavingOthers({ object, ignored, fieldManager }: Wanted, live: LiveObject | undefined): unknown {
  if (!live) return object;
  const ours = (live.metadata.managedFields ?? []).filter(({ manager }) => manager === fieldManager);
  return ignored.reduce<unknown>((sum, path) => {
    const mine = ownerOf(ours, path) !== undefined;
    return put(sum, path, mine ? valueAt(live, path) : undefined);
  }, object);
}

function put(whole: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  const name = step.slice(2);
  if (Array.isArray(whole))
    return whole.map((item: unknown, index) => (String(index) === name ? put(item, rest, value) : item));
  if (typeof whole !== "object" || whole === null) return whole;
  const { [name]: child, ...others } = whole as Record<string, unknown>;
  if (child === undefined) return whole;
  const next = put(child, rest, value);
  return next === undefined ? others : { ...others, [name]: next };
}

/** The record of an object's owners in which what hands have added is the stack's; undefined where they added nothing. */
export function takenOver(managed: readonly Ownership[], { fieldManager, ignored }: Wanted): Ownership[] | undefined {
  const added = unasked(managed, fieldManager, ignored);
  if (added.length === 0) return undefined;
  const own = managed.find(({ manager, subresource }) => manager === fieldManager && !subresource);
  const base = own ?? { ...added[0]?.by, subresource: undefined, manager: fieldManager, operation: "Apply" };
  const fields = (sum: FieldSet, { path, by }: (typeof added)[number]): FieldSet =>
    merged(sum, only(by.fieldsV1 ?? {}, path));
  const taken = { ...base, fieldsV1: added.reduce(fields, own?.fieldsV1 ?? {}) };
  const others = managed.filter((entry) => entry !== own);
  const left = others.flatMap((entry) => {
    const theirs = added.filter(({ by }) => by === entry);
    const fieldsV1 = theirs.reduce((sum, { path }) => without(sum, path), entry.fieldsV1 ?? {});
    return Object.keys(fieldsV1).length > 0 ? [{ ...entry, fieldsV1 }] : [];
  });
  return [taken, ...left];
}
