import { at, groupOf, into, kindOf, type Manifest, text, UNKNOWN } from "./manifest";
import { type PodTemplate, podTemplates } from "./podTemplate";
import { compileSelector, equal, type Verdict } from "./selector";

export interface Member {
  /** Its place in what was given. */
  readonly of: number;
  readonly manifest: Manifest;
  readonly kind: string;
  readonly group: string | undefined;
  readonly namespace: unknown;
  readonly name: unknown;
}

/** The pods that one template makes, or that a controller makes up by itself. */
export interface Pods {
  readonly owner: Member;
  readonly template: PodTemplate;
  /** Of these only the labels are known. */
  readonly madeUp?: true;
  readonly namespace: unknown;
  readonly labels: unknown;
}

/** Objects that say no namespace share one. */
function namespaceOf(manifest: Manifest): unknown {
  const namespace = at(manifest, "metadata", "namespace");
  return namespace === UNKNOWN ? UNKNOWN : (text(namespace) ?? "default");
}

/** Their controllers label pods with names, and policies may select by them. */
function podLabels({ kind, name }: Member, template: PodTemplate): unknown {
  const labels = template.labels.value;
  if (name === undefined || labels === UNKNOWN) return labels;
  if (kind === "Job") return { ...(labels as object), "job-name": name, "batch.kubernetes.io/job-name": name };
  return labels;
}

/** Namespaces that every cluster comes with. */
export const OF_THE_SYSTEM = ["kube-system", "kube-public", "kube-node-lease"];

interface MadeUp {
  readonly kind: string;
  readonly group: string;
  /** Where the object gives its pods labels. */
  readonly path: readonly string[];
  readonly labels: (name: unknown) => Record<string, unknown>;
}

const ofPrometheus = (kind: string): MadeUp => {
  const called = kind === "ThanosRuler" ? "thanos-ruler" : kind.toLowerCase();
  return {
    kind,
    group: "monitoring.coreos.com",
    path: ["spec", "podMetadata", "labels"],
    labels: (name) => ({
      [called]: name,
      "app.kubernetes.io/name": called,
      "app.kubernetes.io/instance": name,
      "app.kubernetes.io/managed-by": "prometheus-operator",
      "operator.prometheus.io/name": name,
    }),
  };
};

/** Custom resources whose controllers make pods without a template to be seen. */
const MADE_UP: readonly MadeUp[] = [
  ...["Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"].map(ofPrometheus),
  {
    kind: "Cluster",
    group: "postgresql.cnpg.io",
    path: ["spec", "inheritedMetadata", "labels"],
    labels: (name) => ({ "cnpg.io/cluster": name, "cnpg.io/podRole": "instance" }),
  },
  {
    kind: "RabbitmqCluster",
    group: "rabbitmq.com",
    path: ["metadata", "labels"],
    labels: (name) => ({ "app.kubernetes.io/name": name, "app.kubernetes.io/component": "rabbitmq" }),
  },
];

function madeUpPods(owner: Member): Pods[] {
  const found = MADE_UP.find(({ kind, group }) => kind === owner.kind && group === owner.group);
  if (found === undefined) return [];
  const own = into({ path: "", value: owner.manifest }, ...found.path);
  const labels = own.value === UNKNOWN ? UNKNOWN : { ...(own.value as object), ...found.labels(owner.name) };
  const nowhere = { path: "spec", value: undefined };
  const template = { metadata: nowhere, labels: { path: own.path, value: labels }, spec: nowhere, lasting: true };
  return [{ owner, template, namespace: owner.namespace, labels, madeUp: true }];
}

/** Everything that is deployed together, looked up by kind, name and label. */
export class ObjectSet {
  readonly members: readonly Member[];
  readonly pods: readonly Pods[];
  private readonly byKind = new Map<string, Member[]>();

  constructor(manifests: readonly Manifest[]) {
    this.members = manifests.map((manifest, of) => {
      const name = at(manifest, "metadata", "name");
      const group = groupOf(manifest);
      return { of, manifest, kind: kindOf(manifest), group, namespace: namespaceOf(manifest), name };
    });
    for (const member of this.members) {
      const kin = this.byKind.get(member.kind);
      if (kin === undefined) this.byKind.set(member.kind, [member]);
      else kin.push(member);
    }
    this.pods = this.members.flatMap((owner): Pods[] => [
      ...podTemplates(owner.manifest).map((template) => ({
        owner,
        template,
        namespace: owner.namespace,
        labels: podLabels(owner, template),
      })),
      ...madeUpPods(owner),
    ]);
  }

  /** A manifest that does not say its group is taken to be of the one asked for. */
  ofKind(kind: string, ...groups: string[]): readonly Member[] {
    const kin = this.byKind.get(kind) ?? [];
    return groups.length === 0 ? kin : kin.filter(({ group }) => group === undefined || groups.includes(group));
  }

  /** Whether one of these is called so; an unknown name might be it. */
  named(members: readonly Member[], name: unknown, namespace?: unknown): { verdict: Verdict; member?: Member } {
    let verdict: Verdict = false;
    for (const member of members) {
      const here = namespace === undefined ? true : equal(member.namespace, namespace);
      const same = equal(member.name, name);
      if (here === true && same === true) return { verdict: true, member };
      if (here !== false && same !== false) verdict = UNKNOWN;
    }
    return { verdict };
  }

  /**
   * Whether enough of this namespace is here to miss something in it. Pods say so, and its Namespace object; where no Namespace
   * is given at all, anything that is in it. The system's own are never all here.
   */
  isInside(namespace: unknown): boolean {
    if (namespace === UNKNOWN) return false;
    const spaces = this.ofKind("Namespace", "");
    if (spaces.some(({ name }) => name === namespace) || this.pods.some((pods) => pods.namespace === namespace))
      return true;
    return (
      spaces.length === 0 &&
      !OF_THE_SYSTEM.includes(namespace as string) &&
      this.members.some((member) => member.namespace === namespace)
    );
  }

  picks(selector: unknown, labels: unknown): Verdict {
    return compileSelector(selector)(labels);
  }

  /** The pods of a namespace that a selector picks, and those of which that is unknown. */
  selected(selector: unknown, namespace: unknown): { sure: Pods[]; perhaps: Pods[] } {
    const selects = compileSelector(selector);
    const sure: Pods[] = [];
    const perhaps: Pods[] = [];
    for (const pods of this.pods) {
      const here = equal(pods.namespace, namespace);
      if (here === false || pods.owner.kind === "PodTemplate") continue;
      const hit = selects(pods.labels);
      if (hit === false) continue;
      (here === true && hit === true ? sure : perhaps).push(pods);
    }
    return { sure, perhaps };
  }
}
