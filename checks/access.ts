import { type Check, none, some } from "./check";
import { labelsOfNamespaces } from "./pods";
import { podManifest } from "./probe";
import type { Stand } from "./stand";
import { image } from "../components/lib/target";

/** One thing that a developer may do, or may not. */
export interface Right {
  readonly verb: string;
  readonly resource: string;
  readonly group?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly may: boolean;
}

const may = (verb: string, resource: string, group = "", subresource = ""): Right => ({
  verb,
  resource,
  group,
  subresource,
  may: true,
});
const mayNot = (...right: Parameters<typeof may>): Right => ({ ...may(...right), may: false });

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

const described = ({ verb, resource, subresource, namespace }: Right): string =>
  `${verb} ${resource}${subresource ? `/${subresource}` : ""} ${namespace ? `in ${namespace}` : "in the cluster"}`;

/** Asks the API server about somebody of a group, all at once. */
async function asked(stand: Stand, member: string, rights: readonly Right[]): Promise<boolean[]> {
  const items = rights.map(({ verb, resource, group, subresource, namespace }) => ({
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user: "check",
      groups: [member, "system:authenticated"],
      resourceAttributes: { verb, resource, group, subresource, namespace },
    },
  }));
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const answers = await stand.kubectl(["create", "-f", "-", "-o", 'jsonpath={.status.allowed}{"\\n"}'], { input });
  const words = answers.trim().split("\n");
  if (words.length !== rights.length || !words.every((word) => word === "true" || word === "false"))
    throw new Error(`${rights.length} questions, and these answers: ${answers}`);
  return words.map((word) => word === "true");
}

const ownNamespace = async (stand: Stand): Promise<string> => (await stand.outputs()).namespaces.apps ?? "";

async function rights(stand: Stand): Promise<string> {
  const { developers, exec } = stand.config.access;
  const namespaces = [...(await labelsOfNamespaces(stand)).keys()];
  const all = rightsOf(await ownNamespace(stand), namespaces, exec);
  for (const member of developers) {
    const answers = await asked(stand, member, all);
    none(
      `${member} has other rights than it should`,
      all.flatMap((right, index) =>
        answers[index] === right.may ? [] : [`${described(right)}: ${right.may ? "refused" : "allowed"}`],
      ),
    );
  }
  return `${developers.join(", ")}: ${all.length} rights`;
}

interface Deployment {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template: { readonly spec: object } };
}

interface Account {
  readonly metadata: { readonly name: string };
}

/** What a member of the group is told; everything is a dry run, which admission judges like any other request. */
async function told(stand: Stand, args: readonly string[], object?: object): Promise<string> {
  const [member = ""] = stand.config.access.developers;
  const self = ["--as", "check", "--as-group", member, "-n", await ownNamespace(stand)];
  const input = object && JSON.stringify(object);
  const { code, err } = await stand.tryKubectl([...args, ...self], { input });
  return code === 0 ? "" : err.trim() || `exit ${code}`;
}

const CREATE = ["create", "--dry-run=server", "-f", "-"];
const patch = (name: string, type: string, change: unknown): string[] => [
  "patch",
  "deployment",
  name,
  "--dry-run=server",
  `--type=${type}`,
  "-p",
  JSON.stringify(change),
];

type Attempt = readonly [what: string, said: Promise<string>, expected: RegExp];
const FINE = /^$/;
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
    ["list Secrets", told(stand, ["get", "secrets"]), /Forbidden|forbidden/],
    ["make a pod", told(stand, CREATE, pod), FINE],
    ["make a pod with a Secret", told(stand, CREATE, withSpec({ containers: [{ ...container, envFrom }] })), NO_SECRET],
    ["make a pod with a Secret as a volume", told(stand, CREATE, withSpec({ volumes })), NO_SECRET],
    [
      "expose a Service",
      told(stand, CREATE, { ...service, spec: { type: "LoadBalancer", ports: [{ port: 80 }] } }),
      /may not expose a Service/,
    ],
    ...(other
      ? ([
          [
            `run a pod as ${other}`,
            told(stand, CREATE, withSpec({ serviceAccountName: other })),
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
    [`restart ${name}`, told(stand, patch(name, "strategic", restart)), FINE],
    [`scale ${name}`, told(stand, ["scale", "deployment", name, "--replicas=2", "--dry-run=server"]), FINE],
    [`have ${name} show its environment`, told(stand, patch(name, "json", command)), hasSecret ? NO_SECRET : FINE],
  ];
}

async function requests(stand: Stand): Promise<string> {
  const all = some("request", await attempts(stand));
  const wrong = await Promise.all(
    all.map(async ([what, said, expected]) => {
      const answer = await said;
      return expected.test(answer) ? [] : [`to ${what}: ${answer || "allowed"}`];
    }),
  );
  none("a developer is told otherwise than they should", wrong.flat());
  return `${all.length} requests`;
}

export const accessChecks: readonly Check[] = [
  { id: "002.18", title: "developers may edit their namespace, read no Secret and see nothing else", run: rights },
  { id: "002.18", title: "a developer's requests are let through or refused, as dry runs", run: requests },
];
