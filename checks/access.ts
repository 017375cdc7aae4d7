import { type Check, none, some } from "./check";
import { labelsOfNamespaces } from "./pods";
import { podManifest } from "./probe";
import {
  type Attempt,
  CREATE,
  FINE,
  FORBIDDEN,
  type Right,
  may,
  mayNot,
  memberOf,
  otherThan,
  told,
  toldOtherwise,
} from "./rights";
import type { Stand } from "./stand";
import { image } from "../components/lib/target";

const IN_OWN = [
  may("list", "pods"),
  may("delete", "pods"),
  may("get", "pods", "", "log"),
  may("patch", "deployments", "apps"),
  may("patch", "deployments", "apps", "scale"),
  may("update", "services"),
  may("update", "configmaps"),
  may("list", "events"),
  may("patch", "horizontalpodautoscalers", "autoscaling"),
  may("patch", "poddisruptionbudgets", "policy"),
  mayNot("create", "secrets"),
  mayNot("create", "serviceaccounts"),
  mayNot("create", "serviceaccounts", "", "token"),
  mayNot("update", "pods", "", "ephemeralcontainers"),
  mayNot("get", "pods", "", "proxy"),
  mayNot("get", "services", "", "proxy"),
  mayNot("create", "rolebindings", "rbac.authorization.k8s.io"),
  mayNot("patch", "roles", "rbac.authorization.k8s.io"),
  mayNot("patch", "networkpolicies", "networking.k8s.io"),
  mayNot("create", "externalsecrets", "external-secrets.io"),
];

const ELSEWHERE = [mayNot("list", "pods"), mayNot("get", "pods", "", "log"), mayNot("get", "configmaps")];
const EVERYWHERE = ["get", "list", "watch"].map((verb) => mayNot(verb, "secrets"));

const IN_CLUSTER = [
  mayNot("list", "nodes"),
  mayNot("create", "namespaces"),
  mayNot("list", "secrets"),
  mayNot("impersonate", "users"),
  mayNot("create", "clusterrolebindings", "rbac.authorization.k8s.io"),
  mayNot("patch", "validatingadmissionpolicies", "admissionregistration.k8s.io"),
];

export function rightsOf(own: string, namespaces: readonly string[], exec: boolean): Right[] {
  const inside = ["exec", "attach", "portforward"].flatMap((each) =>
    ["get", "create"].map((verb) => ({ ...may(verb, "pods", "", each), may: exec })),
  );
  return [
    ...IN_CLUSTER,
    ...[...IN_OWN, ...inside].map((right) => ({ ...right, namespace: own })),
    ...namespaces.flatMap((namespace) =>
      [...EVERYWHERE, ...(namespace === own ? [] : ELSEWHERE)].map((right) => ({ ...right, namespace })),
    ),
  ];
}

const ownNamespace = async (stand: Stand): Promise<string> => (await stand.outputs()).namespaces.apps ?? "";

async function rights(stand: Stand): Promise<string> {
  const { developers, exec } = stand.config.access;
  const namespaces = [...(await labelsOfNamespaces(stand)).keys()];
  const all = rightsOf(await ownNamespace(stand), namespaces, exec);
  for (const member of developers)
    none(`${member} has other rights than it should`, await otherThan(stand, memberOf(member), all));
  return `${developers.join(", ")}: ${all.length} rights`;
}

interface Deployment {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template: { readonly spec: object } };
}

interface Account {
  readonly metadata: { readonly name: string };
}

/** What a member of the group is told. */
async function toldMember(stand: Stand, args: readonly string[], object?: object): Promise<string> {
  const [member = ""] = stand.config.access.developers;
  return told(stand, ["--as", "check", "--as-group", member, "-n", await ownNamespace(stand)], args, object);
}

const patch = (name: string, type: string, change: unknown): string[] => [
  "patch",
  "deployment",
  name,
  "--dry-run=server",
  `--type=${type}`,
  "-p",
  JSON.stringify(change),
];

const NO_SECRET = /may not give a Secret/;

async function attempts(stand: Stand): Promise<Attempt[]> {
  const namespace = await ownNamespace(stand);
  const settings = { name: `check-${stand.run}`, namespace, labels: {}, command: ["true"] };
  const pod = podManifest({ ...settings, image: image(stand.target, "busybox") });
  const withSpec = (more: object): object => ({ ...pod, spec: { ...pod.spec, ...more } });
  const [container] = pod.spec.containers;
  const envFrom = [{ secretRef: { name: "check" } }];
  const volumes = [...pod.spec.volumes, { name: "shown", secret: { secretName: "check" } }];
  const service = { apiVersion: "v1", kind: "Service", metadata: { name: settings.name } };
  const accounts = await stand.objects<Account>("serviceaccounts", namespace);
  const other = accounts.find(({ metadata }) => metadata.name !== "default")?.metadata.name;
  return [
    ["list Secrets", toldMember(stand, ["get", "secrets"]), FORBIDDEN],
    ["make a pod", toldMember(stand, CREATE, pod), FINE],
    [
      "make a pod with a Secret",
      toldMember(stand, CREATE, withSpec({ containers: [{ ...container, envFrom }] })),
      NO_SECRET,
    ],
    ["make a pod with a Secret as a volume", toldMember(stand, CREATE, withSpec({ volumes })), NO_SECRET],
    [
      "expose a Service",
      toldMember(stand, CREATE, { ...service, spec: { type: "LoadBalancer", ports: [{ port: 80 }] } }),
      /may not expose a Service/,
    ],
    ...(other
      ? ([
          [
            `run a pod as ${other}`,
            toldMember(stand, CREATE, withSpec({ serviceAccountName: other })),
            /another ServiceAccount/,
          ],
        ] as const)
      : []),
    ...(await stand.objects<Deployment>("deployments", namespace)).flatMap((each) => attemptsOn(stand, each)),
  ];
}

function attemptsOn(stand: Stand, { metadata: { name }, spec }: Deployment): Attempt[] {
  const restart = { spec: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "now" } } } } };
  const command = [{ op: "add", path: "/spec/template/spec/containers/0/command", value: ["env"] }];
  const hasSecret = /"(secretRef|secretKeyRef|secret)":/.test(JSON.stringify(spec.template.spec));
  return [
    [`restart ${name}`, toldMember(stand, patch(name, "strategic", restart)), FINE],
    [`scale ${name}`, toldMember(stand, ["scale", "deployment", name, "--replicas=2", "--dry-run=server"]), FINE],
    [
      `have ${name} show its environment`,
      toldMember(stand, patch(name, "json", command)),
      hasSecret ? NO_SECRET : FINE,
    ],
  ];
}

async function requests(stand: Stand): Promise<string> {
  const all = some("request", await attempts(stand));
  none("a developer is told otherwise than they should", await toldOtherwise(all));
  return `${all.length} requests`;
}

export const accessChecks: readonly Check[] = [
  { id: "002.18", title: "developers may edit their namespace, read no Secret and see nothing else", run: rights },
  { id: "002.18", title: "a developer's requests are let through or refused, as dry runs", run: requests },
];
