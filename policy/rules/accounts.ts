import { type Fault, faultAt } from "./finding";
import { at, elements, into, type Located, text, UNKNOWN } from "./manifest";
import type { Member, ObjectSet, Pods } from "./objectSet";
import type { SetFault } from "./rule";
import type { Verdict } from "./selector";

/** Service accounts, and the roles that are bound to them. */

const RBAC = "rbac.authorization.k8s.io";
const BUILT_IN_ROLES = ["cluster-admin", "admin", "edit", "view"];

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== "";
const open = (field: Located, verdict: Verdict): Located =>
  verdict === UNKNOWN ? { ...field, value: UNKNOWN } : field;

function accountOf(pods: Pods): Located {
  const name = into(pods.template.spec, "serviceAccountName");
  return isSet(name.value) ? name : into(pods.template.spec, "serviceAccount");
}

/** A token lets whoever takes over the pod speak to the API server. */
export function serviceToken(set: ObjectSet): SetFault[] {
  const accounts = set.ofKind("ServiceAccount", "");
  return set.pods.flatMap((pods): SetFault[] => {
    const field = into(pods.template.spec, "automountServiceAccountToken");
    if (pods.madeUp === true || field.value === false || pods.template.spec.value === UNKNOWN) return [];
    const account = accountOf(pods).value;
    const isDefault = !isSet(account) || account === "default";
    const asked = isDefault ? undefined : set.named(accounts, account, pods.namespace).member;
    const ofAccount = isDefault
      ? at(set.named(accounts, "default", pods.namespace).member?.manifest, "automountServiceAccountToken")
      : at(asked?.manifest, "automountServiceAccountToken");
    const wanted = isSet(field.value) ? field.value : ofAccount;
    if (wanted === false || (wanted === true && !isDefault)) return [];
    const found =
      wanted === true
        ? "is true for the account default, whose rights are everybody's"
        : "is not set, which mounts a token that nobody has asked for";
    const words = {
      found,
      allowed: "false; or true, with an account of the pod's own",
      fix: wanted === true ? "name an account of its own in serviceAccountName" : "set it to false",
      ...(wanted === true ? {} : { set: false }),
    };
    return [{ of: pods.owner.of, ...faultAt(open(field, wanted === UNKNOWN ? UNKNOWN : false), words) }];
  });
}

export function missingAccounts(set: ObjectSet): SetFault[] {
  const accounts = set.ofKind("ServiceAccount", "");
  const absent = (field: Located, namespace: unknown, of: number): SetFault[] => {
    if (!isSet(field.value) || field.value === "default") return [];
    const { verdict } = set.named(accounts, field.value, namespace);
    if (verdict === true) return [];
    const found = `(${JSON.stringify(field.value)}) is the name of no ServiceAccount in ${text(namespace) ?? "its namespace"}`;
    return [
      {
        of,
        ...faultAt(open(field, verdict), {
          found,
          allowed: "an account that is deployed with it",
          fix: "add it, or correct the name",
        }),
      },
    ];
  };
  return [
    ...set.pods.flatMap((pods) => absent(accountOf(pods), pods.namespace, pods.owner.of)),
    ...bindings(set).flatMap((binding) =>
      elements(into({ path: "", value: binding.manifest }, "subjects"))
        .filter((subject) => into(subject, "kind").value === "ServiceAccount")
        .flatMap((subject) => {
          const namespace = into(subject, "namespace").value ?? binding.namespace;
          // Of a namespace that nothing here is in, nothing is known.
          return set.isInside(namespace) ? absent(into(subject, "name"), namespace, binding.of) : [];
        }),
    ),
  ];
}

const bindings = (set: ObjectSet): Member[] => [
  ...set.ofKind("RoleBinding", RBAC),
  ...set.ofKind("ClusterRoleBinding", RBAC),
];

function roleFault(set: ObjectSet, binding: Member): Fault[] {
  const role = into({ path: "", value: binding.manifest }, "roleRef");
  const [kind, name] = [into(role, "kind").value, into(role, "name")];
  if (typeof name.value === "string" && (BUILT_IN_ROLES.includes(name.value) || name.value.startsWith("system:")))
    return [];
  const own = kind === "Role";
  const { verdict } = own
    ? set.named(set.ofKind("Role", RBAC), name.value, binding.namespace)
    : set.named(set.ofKind("ClusterRole", RBAC), name.value);
  if (verdict === true || !isSet(name.value)) return [];
  const found = `(${JSON.stringify(name.value)}) is the name of no ${own ? `Role in ${text(binding.namespace) ?? "its namespace"}` : "ClusterRole"}`;
  const allowed = `a role that is deployed with it, or one of ${BUILT_IN_ROLES.join(", ")}`;
  return [faultAt(open(name, verdict), { found, allowed, fix: "add the role, or correct the name" })];
}

export const missingRoles = (set: ObjectSet): SetFault[] =>
  bindings(set).flatMap((binding) => roleFault(set, binding).map((fault) => ({ ...fault, of: binding.of })));

/** Whether a Role of the namespace lets somebody do this at run time, after everything here is deployed. */
export function mayWrite(set: ObjectSet, namespace: unknown, resource: string, verbs: readonly string[]): boolean {
  const holds = (list: unknown, wanted: readonly string[]): boolean =>
    Array.isArray(list) && [...wanted, "*"].some((each) => (list as unknown[]).includes(each));
  return set
    .ofKind("Role", RBAC)
    .filter((role) => role.namespace === namespace)
    .some(({ manifest }) =>
      elements({ path: "", value: manifest.rules }).some(
        ({ value }) => holds(at(value, "resources"), [resource]) && holds(at(value, "verbs"), verbs),
      ),
    );
}
