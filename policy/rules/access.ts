import { type Fault, faultAt } from "./finding";
import { at, elements, groupOf, into, kindOf, type Located, type Manifest, quote } from "./manifest";

/** Roles and who has them. */

const isRbac = (manifest: Manifest, ...kinds: string[]): boolean =>
  kinds.includes(kindOf(manifest)) && [undefined, "rbac.authorization.k8s.io"].includes(groupOf(manifest));

interface Rule extends Located {
  readonly verbs: readonly string[];
  readonly resources: readonly string[];
  readonly groups: readonly string[];
  /** Only objects of these names. */
  readonly named: boolean;
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];

function rulesOf(manifest: Manifest): Rule[] {
  if (!isRbac(manifest, "Role", "ClusterRole")) return [];
  return elements(into({ path: "", value: manifest }, "rules")).map((rule) => ({
    ...rule,
    verbs: texts(at(rule.value, "verbs")),
    resources: texts(at(rule.value, "resources")),
    groups: texts(at(rule.value, "apiGroups")),
    named: texts(at(rule.value, "resourceNames")).length > 0,
  }));
}

export function wildcards(manifest: Manifest): Fault[] {
  return rulesOf(manifest).flatMap((rule) =>
    ["apiGroups", "resources", "verbs", "nonResourceURLs"].flatMap((field) =>
      elements(into(rule, field))
        .filter(
          ({ value }) => typeof value === "string" && (value === "*" || value.endsWith("/*") || value.startsWith("*/")),
        )
        .filter(({ value }) => field !== "nonResourceURLs" || value === "*" || value === "/*")
        .map((entry) => {
          const allowed = "each one by its name, so that what is added later is not given away today";
          return faultAt(entry, { allowed, fix: `list the ${field} that are used` });
        }),
    ),
  );
}

export interface Danger {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly why: string;
  readonly controls: readonly string[];
}

const RBAC = "rbac.authorization.k8s.io";
const ROLES = ["roles", "clusterroles", "rolebindings", "clusterrolebindings"];
const WRITE = ["create", "update", "patch"];
const READ = ["get", "list", "watch"];
const HOOKS = ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"];
const ESCALATION = "cis:5.1.8";

export const ESCALATIONS: readonly Danger[] = [
  {
    group: RBAC,
    resources: ROLES,
    verbs: ["bind", "escalate"],
    why: "gives any right to anybody",
    controls: [ESCALATION],
  },
  {
    group: "",
    resources: ["users", "groups", "serviceaccounts", "uids"],
    verbs: ["impersonate"],
    why: "acts as somebody else",
    controls: [ESCALATION],
  },
  {
    group: "authentication.k8s.io",
    resources: ["uids", "userextras/*"],
    verbs: ["impersonate"],
    why: "acts as somebody else",
    controls: [ESCALATION],
  },
  {
    group: "",
    resources: ["serviceaccounts/token"],
    verbs: ["create"],
    why: "logs in as any account",
    controls: ["cis:5.1.13"],
  },
  {
    group: "",
    resources: ["nodes/proxy"],
    verbs: [...READ, ...WRITE],
    why: "speaks to kubelets, which run anything",
    controls: ["cis:5.1.10"],
  },
  {
    group: "",
    resources: ["persistentvolumes"],
    verbs: ["create"],
    why: "mounts any path of a node",
    controls: ["cis:5.1.9"],
  },
  {
    group: "certificates.k8s.io",
    resources: ["certificatesigningrequests/approval"],
    verbs: ["update", "patch"],
    why: "signs certificates for anybody",
    controls: ["cis:5.1.11"],
  },
  {
    group: "admissionregistration.k8s.io",
    resources: HOOKS,
    verbs: [...WRITE, "delete"],
    why: "sees and changes every object that is written",
    controls: ["cis:5.1.12"],
  },
];

export const PODS: readonly Danger[] = [
  {
    group: "",
    resources: ["pods/exec", "pods/attach"],
    verbs: ["create", "get"],
    why: "acts as any pod of its namespace",
    controls: ["nsa:exec"],
  },
  {
    group: "",
    resources: ["pods/ephemeralcontainers"],
    verbs: ["update", "patch"],
    why: "puts a container of its own into any pod of its namespace",
    controls: ["nsa:exec"],
  },
  {
    group: "",
    resources: ["pods"],
    verbs: ["create"],
    why: "acts as any service account of its namespace",
    controls: ["cis:5.1.4"],
  },
];

export const SECRETS: Danger = {
  group: "",
  resources: ["secrets"],
  verbs: READ,
  why: "reads every secret within its reach",
  controls: ["cis:5.1.2"],
};

function dangers(manifest: Manifest, kinds: readonly Danger[]): Fault[] {
  return rulesOf(manifest).flatMap((rule) =>
    kinds.flatMap(({ group, resources, verbs, why, controls }) => {
      if (!rule.groups.includes(group)) return [];
      const given = rule.verbs.filter((verb) => verbs.includes(verb));
      const on = rule.resources.filter((resource) =>
        [resource, resource.replace(/\/.*/, "/*")].some((each) => resources.includes(each)),
      );
      // A name bounds every verb but the making of an object, which has none yet; what is made within one is bounded too.
      const wide = rule.named
        ? given.filter((verb) => verb === "create" && on.some((each) => !each.includes("/")))
        : given;
      if (wide.length === 0 || on.length === 0) return [];
      const found = `(${wide.join(", ")} on ${on.join(", ")}) ${why}`;
      const fix = "leave it out, or bound it by resourceNames";
      return [
        faultAt(
          { path: rule.path, value: rule.value },
          { found, allowed: "only what the holder needs", fix, controls },
        ),
      ];
    }),
  );
}

export const escalation = (manifest: Manifest): Fault[] => dangers(manifest, ESCALATIONS);
export const readsSecrets = (manifest: Manifest): Fault[] => dangers(manifest, [SECRETS]);
export const reachesPods = (manifest: Manifest): Fault[] => dangers(manifest, PODS);

export const EVERYBODY = [
  "system:masters",
  "system:unauthenticated",
  "system:anonymous",
  "system:authenticated",
  "system:serviceaccounts",
];

export function subjects(manifest: Manifest): Fault[] {
  if (!isRbac(manifest, "RoleBinding", "ClusterRoleBinding")) return [];
  const whole: Located = { path: "", value: manifest };
  const role = into(whole, "roleRef", "name");
  const admin = role.value === "cluster-admin" && at(manifest, "roleRef", "kind") === "ClusterRole";
  return [
    ...(admin
      ? [
          faultAt(role, {
            allowed: "a role of its own with what is needed",
            fix: "write a Role, and name it here",
            controls: ["cis:5.1.1"],
          }),
        ]
      : []),
    ...elements(into(whole, "subjects")).flatMap((subject) => {
      const name = into(subject, "name");
      const kind = at(subject.value, "kind");
      if (EVERYBODY.includes(name.value as string) && kind !== "ServiceAccount") {
        const controls = name.value === "system:masters" ? ["cis:5.1.7"] : ["cis:5.1.1"];
        return [faultAt(name, { allowed: "a group or account of yours", fix: "name who it is for", controls })];
      }
      if (kind !== "ServiceAccount" || name.value !== "default") return [];
      const found = `is ${quote(name.value)}, which every pod has that names no account`;
      return [
        faultAt(name, {
          found,
          allowed: "an account of the workload's own",
          fix: "make one, and name it here",
          controls: ["cis:5.1.5"],
        }),
      ];
    }),
  ];
}
