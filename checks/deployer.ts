import { MANAGED } from "../components/deployers/rights";
import {
  DEPLOYERS_GROUP,
  DEPLOYERS_NAMESPACE,
  deployerGroup,
  deployerName,
  deployerUser,
} from "../components/lib/deployer";
import { ENVIRONMENT_LABEL, SHARED } from "../components/lib/labels";
import { NAMESPACE_ROLE, claimOf } from "../components/lib/namespaceEntry";
import { type Check, Skip, none } from "./check";
import { labelsOfNamespaces } from "./pods";
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

const RBAC = "rbac.authorization.k8s.io";
const ADMISSION = "admissionregistration.k8s.io";
/** Of a token, at most. */
const LIFETIME_S = 900;

const IN_OWN = [
  may("get", "secrets"),
  may("create", "networkpolicies", "networking.k8s.io"),
  may("delete", "deployments", "apps"),
  mayNot("create", "serviceaccounts", "", "token"),
  mayNot("create", "endpointslices", "discovery.k8s.io"),
  mayNot("escalate", "roles", RBAC),
  mayNot("bind", "roles", RBAC),
];

const ELSEWHERE = [
  ...["get", "list", "watch"].map((verb) => mayNot(verb, "secrets")),
  mayNot("get", "configmaps"),
  mayNot("get", "pods", "", "log"),
  mayNot("create", "pods", "", "exec"),
  mayNot("create", "pods"),
  mayNot("patch", "configmaps"),
  mayNot("patch", "deployments", "apps"),
  mayNot("delete", "networkpolicies", "networking.k8s.io"),
  mayNot("create", "rolebindings", RBAC),
  mayNot("patch", "roles", RBAC),
  mayNot("create", "serviceaccounts", "", "token"),
];

const IN_CLUSTER = [
  may("get", "namespaces"),
  may("list", "nodes"),
  mayNot("create", "namespaces"),
  mayNot("delete", "namespaces"),
  mayNot("patch", "nodes"),
  mayNot("list", "secrets"),
  mayNot("impersonate", "users"),
  mayNot("escalate", "clusterroles", RBAC),
  mayNot("bind", "clusterroles", RBAC),
  mayNot("patch", "clusterroles", RBAC),
  mayNot("create", "clusterrolebindings", RBAC),
  mayNot("patch", "customresourcedefinitions", "apiextensions.k8s.io"),
  mayNot("patch", "clusterissuers", "cert-manager.io"),
  mayNot("patch", "validatingadmissionpolicies", ADMISSION),
  mayNot("patch", "validatingwebhookconfigurations", ADMISSION),
];

const called = (right: Right, name: string): Right => ({ ...right, name });

export function rightsOf(stack: string, own: readonly string[], namespaces: readonly string[]): Right[] {
  const managed = MANAGED.flatMap(([group, ...kinds]) => kinds.map((kind) => may("patch", kind, group)));
  return [
    ...IN_CLUSTER,
    called(may("create", "namespaces"), `${stack}-apps`),
    called(mayNot("patch", "clusterroles", RBAC), NAMESPACE_ROLE),
    called(mayNot("patch", "validatingadmissionpolicies", ADMISSION), `${DEPLOYERS_NAMESPACE}-claims`),
    ...own.flatMap((namespace) => [...IN_OWN, ...managed].map((right) => ({ ...right, namespace }))),
    ...namespaces
      .filter((namespace) => !own.includes(namespace))
      .flatMap((namespace) => ELSEWHERE.map((right) => ({ ...right, namespace }))),
  ];
}

/** Of whoever may only ask for its tokens. */
export const mintersRights = (stack: string, own: readonly string[], others: readonly string[]): Right[] => [
  ...[stack, ...others].map((each) => ({
    ...called(may("create", "serviceaccounts", "", "token"), deployerName(each)),
    namespace: DEPLOYERS_NAMESPACE,
    may: each === stack,
  })),
  ...own.flatMap((namespace) =>
    [mayNot("get", "secrets"), mayNot("list", "pods"), mayNot("create", "pods")].map((right) => ({
      ...right,
      namespace,
    })),
  ),
  mayNot("create", "namespaces"),
  mayNot("list", "nodes"),
];

interface Account {
  readonly metadata: { readonly name: string };
}

/** The deployers of other stacks; there is nothing to ask where this one is deployed by whoever is there. */
async function otherDeployers(stand: Stand): Promise<string[]> {
  const accounts = await stand.objects<Account>("serviceaccounts", DEPLOYERS_NAMESPACE);
  const [own, prefix] = [deployerName(stand.stack), deployerName("")];
  const names = accounts.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(prefix));
  if (!names.includes(own)) throw new Skip(`${stand.stack} has no deployer of its own (platform:deployers)`);
  return names.filter((name) => name !== own).map((name) => name.slice(prefix.length));
}

const ownNamespaces = async (stand: Stand): Promise<string[]> => Object.values((await stand.outputs()).namespaces);

async function rights(stand: Stand): Promise<string> {
  await otherDeployers(stand);
  const all = rightsOf(stand.stack, await ownNamespaces(stand), [...(await labelsOfNamespaces(stand)).keys()]);
  const groups = ["system:serviceaccounts", DEPLOYERS_GROUP, "system:authenticated"];
  const other = await otherThan(stand, { user: deployerUser(stand.stack), groups }, all);
  none(`the deployer of ${stand.stack} has other rights than it should`, other);
  return `${all.length} rights`;
}

/** Of another environment where there is one. */
async function foreignNamespace(stand: Stand): Promise<string> {
  const isForeign = (environment?: string): boolean =>
    environment !== undefined && environment !== stand.stack && environment !== SHARED;
  const found = [...(await labelsOfNamespaces(stand))].find(([, labels]) => isForeign(labels[ENVIRONMENT_LABEL]));
  return found?.[0] ?? "kube-system";
}

async function requests(stand: Stand): Promise<string> {
  await otherDeployers(stand);
  const { stack } = stand;
  const [own, foreign] = [(await stand.outputs()).namespaces.apps ?? "", await foreignNamespace(stand)];
  const ask = (args: readonly string[], object?: object): Promise<string> =>
    told(stand, ["--as", deployerUser(stack)], args, object);
  const metadata = { name: `check-${stand.run}` };
  const settings = { apiVersion: "v1", kind: "ConfigMap", metadata };
  const spec = { ports: [{ port: 80 }], externalIPs: ["192.0.2.1"] };
  const service = { apiVersion: "v1", kind: "Service", metadata, spec };
  const privileged = ["pod-security.kubernetes.io/enforce=privileged", "--overwrite", "--dry-run=server"];
  const apply = ["apply", "--server-side", "--dry-run=server", "-f", "-"];
  const attempts: Attempt[] = [
    [`read Secrets in ${own}`, ask(["get", "secrets", "-n", own]), FINE],
    [`write into ${own}`, ask([...CREATE, "-n", own], settings), FINE],
    [`read Secrets in ${foreign}`, ask(["get", "secrets", "-n", foreign]), FORBIDDEN],
    [`write into ${foreign}`, ask([...CREATE, "-n", foreign], settings), FORBIDDEN],
    [`take its rights in ${foreign}`, ask(apply, claimOf(stack, foreign)), /and nowhere else/],
    [
      `let any pod into ${own}`,
      ask(["label", "namespace", own, ...privileged]),
      /Pod Security profile restricted|\[namespace-labels\]/,
    ],
    ["take an address", ask([...CREATE, "-n", own], service), /externalIPs/],
  ];
  none(`the deployer of ${stack} is told otherwise than it should`, await toldOtherwise(attempts));
  return `${attempts.length} requests`;
}

/** What a token says of itself. */
interface Claims {
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
}

async function tokens(stand: Stand): Promise<string> {
  const others = await otherDeployers(stand);
  const { stack } = stand;
  const member = memberOf(deployerGroup(stack));
  const rest = await otherThan(stand, member, mintersRights(stack, await ownNamespaces(stand), others));
  none(`${deployerGroup(stack)} may do more, or less, than log in as the deployer of ${stack}`, rest);
  const self = ["--as", member.user, "--as-group", deployerGroup(stack)];
  const ask = ["create", "token", deployerName(stack), "-n", DEPLOYERS_NAMESPACE, "--duration", "10m", ...self];
  const [, claims = ""] = (await stand.kubectl(ask)).split(".");
  const { sub, iat, exp } = JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as Claims;
  if (sub !== deployerUser(stack)) throw new Error(`the token is ${sub}'s`);
  if (!(exp - iat <= LIFETIME_S)) throw new Error(`the token lasts ${exp - iat} s`);
  return `tokens of ${exp - iat} s`;
}

export const deployerChecks: readonly Check[] = [
  { id: "001.10", title: "whoever deploys the stack has the rights for it, and none elsewhere", run: rights },
  { id: "001.10", title: "a deployer's requests are let through or refused, as dry runs", run: requests },
  { id: "004.18", title: "a run needs no more of whoever starts it than to be given a token", run: tokens },
];
