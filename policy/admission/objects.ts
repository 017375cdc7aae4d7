import { type Danger, ESCALATIONS, EVERYBODY, PODS, SECRETS } from "../rules/access";
import { ENFORCE, NOT_OURS } from "../rules/placement";
import { type AdmissionRule, type Cel, any, concat, get, list, objects, placeIf, text } from "./cel";

/** Rules over what carries no pods. Objects of the whole cluster are in no namespace, and therefore not held here. */

const isKind = (...kinds: string[]): Cel => `object.kind in ${list(kinds)}`;
const ofKind = (places: Cel, ...kinds: string[]): Cel => `(${isKind(...kinds)} ? ${places} : [])`;
/** The API server writes null where a role has none. */
const RULES = `(${get("object", "rules", "null")} == null ? [] : object.rules)`;

const starred = (field: string): Cel => {
  const isStar =
    field === "nonResourceURLs" ? 'x in ["*", "/*"]' : 'x == "*" || x.endsWith("/*") || x.startsWith("*/")';
  return placeIf(`${RULES}.exists(r, ${get("r", field, "[]")}.exists(x, ${isStar}))`, `rules.${field}`);
};

/** A name bounds every verb but the making of an object. */
const gives = ({ group, resources, verbs }: Danger): Cel => {
  const on = (what: string): Cel => `${get("r", "resources", "[]")}.exists(x, x in ${list(resources)}${what})`;
  const may = (which: readonly string[]): Cel => `${get("r", "verbs", "[]")}.exists(x, x in ${list(which)})`;
  const wide = [
    `size(${get("r", "resourceNames", "[]")}) == 0 && ${may(verbs)}`,
    ...(verbs.includes("create") ? [`${may(["create"])} && ${on(' && !x.contains("/")')}`] : []),
  ];
  return `${text(group)} in ${get("r", "apiGroups", "[]")} && ${on("")} && (${any(wide)})`;
};
const danger = (kinds: readonly Danger[]): Cel =>
  ofKind(placeIf(`${RULES}.exists(r, ${any(kinds.map(gives))})`, "rules"), "Role");

const ANY_SUBJECT = get("object", "subjects", "[]");
const subjects = concat([
  placeIf('object.roleRef.name == "cluster-admin" && object.roleRef.kind == "ClusterRole"', "roleRef.name"),
  placeIf(
    `${ANY_SUBJECT}.exists(s, s.kind == "ServiceAccount" ? s.name == "default" : s.name in ${list(EVERYBODY)})`,
    "subjects.name",
  ),
]);

const TLS = get("l", "tls.mode", '"Terminate"');

export const OBJECTS: Readonly<Record<string, AdmissionRule>> = {
  "rbac-wildcard": objects("each one by its name", () =>
    ofKind(concat(["apiGroups", "resources", "verbs", "nonResourceURLs"].map(starred)), "Role"),
  ),
  "rbac-escalation": objects("only what the holder needs", () => danger(ESCALATIONS)),
  "rbac-secrets": objects("Secrets by resourceNames", () => danger([SECRETS])),
  "rbac-pods": objects("only what the holder needs", () => danger(PODS)),
  "rbac-subjects": objects("roles, groups and accounts of the workload's own", () => ofKind(subjects, "RoleBinding")),
  exposure: objects("ClusterIP, or LoadBalancer, and no external IPs", () =>
    ofKind(
      concat([
        placeIf(`${get("object", "spec.type", '"ClusterIP"')} == "NodePort"`, "spec.type"),
        placeIf(`size(${get("object", "spec.externalIPs", "[]")}) > 0`, "spec.externalIPs"),
      ]),
      "Service",
    ),
  ),
  "route-tls": objects("a certificate for every host", () =>
    concat([
      ofKind(placeIf(`size(${get("object", "spec.tls", "[]")}) == 0`, "spec.tls"), "Ingress"),
      ofKind(
        placeIf(
          `${get("object", "spec.listeners", "[]")}.exists(l, l.protocol == "HTTPS" && ${TLS} == "Terminate" && ` +
            `size(${get("l", "tls.certificateRefs", "[]")}) == 0 && !l.?tls.?options.hasValue())`,
          "spec.listeners.tls.certificateRefs",
        ),
        "Gateway",
      ),
    ]),
  ),
  "namespace-labels": objects("restricted, or baseline", () =>
    ofKind(
      placeIf(
        `!(object.metadata.name in ${list(NOT_OURS)}) && ` +
          `!(${get("object", "metadata.labels", "{}")}[?${text(ENFORCE)}].orValue("") in ["restricted", "baseline"])`,
        `metadata.labels["${ENFORCE}"]`,
      ),
      "Namespace",
    ),
  ),
};
