import * as access from "./access";
import { form } from "./form";
import * as images from "./images";
import * as lifecycle from "./lifecycle";
import * as placement from "./placement";
import { POD_SECURITY_RULES } from "./podSecurity";
import * as resources from "./resources";
import { openRoutes } from "./routes";
import { gatesOf } from "./gates";
import type { ObjectRule } from "./rule";
import { literalSecrets } from "./secrets";

const rule = (
  family: string,
  id: string,
  controls: readonly string[],
  description: string,
  check: ObjectRule["check"],
): ObjectRule => ({ id, family, description, controls, gates: gatesOf(id), check });

const LOGIN_RIGHTS = ["cis:5.1.8", "cis:5.1.9", "cis:5.1.10", "cis:5.1.11", "cis:5.1.12", "cis:5.1.13"];

/** Decided by one object alone. */
export const OBJECT_RULES: readonly ObjectRule[] = [
  rule(
    "Form",
    "form",
    [],
    "Fields that rules look into have the type that Kubernetes gives them, and names of variables and ports are given once.",
    form,
  ),
  ...POD_SECURITY_RULES,
  rule(
    "Resources",
    "limits",
    ["nsa:resource-policies"],
    "Every container says how much cpu and memory it requests and how much it may use, or its pod does.",
    resources.limits,
  ),
  rule(
    "Resources",
    "resource-ratio",
    ["nsa:resource-policies"],
    "A limit is not many times its request.",
    resources.ratio,
  ),
  rule(
    "Lifecycle",
    "probes",
    [],
    "Containers that run until they are stopped have a readiness and a liveness probe.",
    lifecycle.probes,
  ),
  rule(
    "Lifecycle",
    "probe-port",
    [],
    "A probe of a named port names one that its container has.",
    lifecycle.probePorts,
  ),
  rule("Lifecycle", "grace", [], "Pods have more time to end than their preStop hooks wait.", lifecycle.grace),
  rule("Lifecycle", "spread", [], "Replicas are kept apart, by nodes or by zones.", lifecycle.spread),
  rule("Images", "image-tag", ["cis:5.5.1"], "No image is named by a tag that moves, such as latest.", images.imageTag),
  rule("Images", "image-digest", ["cis:5.5.1"], "Every image is named by its digest.", images.imageDigest),
  rule(
    "Images",
    "image-origin",
    ["cis:5.5.1"],
    "Images are of the lock or of the stack's registry, or come from where imagesFrom lists; judged where one of these is known.",
    images.imageOrigin,
  ),
  rule(
    "Containers",
    "read-only-root",
    ["nsa:immutable-file-systems"],
    "No container writes to its own image.",
    placement.readOnlyRoot,
  ),
  rule(
    "Secrets",
    "secret-literal",
    ["cis:5.4.1", "nsa:credentials"],
    "No secret is written into env, arguments or a ConfigMap. Found values are never shown.",
    literalSecrets,
  ),
  rule("Rights", "rbac-wildcard", ["cis:5.1.3"], "Roles name what they give.", access.wildcards),
  rule(
    "Rights",
    "rbac-escalation",
    LOGIN_RIGHTS,
    "No role lets its holder take rights that it does not have.",
    access.escalation,
  ),
  rule("Rights", "rbac-secrets", ["cis:5.1.2"], "Roles read Secrets by name only.", access.readsSecrets),
  rule(
    "Rights",
    "rbac-pods",
    ["cis:5.1.4", "nsa:exec"],
    "Roles neither make pods by themselves nor run commands in them.",
    access.reachesPods,
  ),
  rule(
    "Rights",
    "rbac-subjects",
    ["cis:5.1.1", "cis:5.1.5", "cis:5.1.7"],
    "Nobody is bound to cluster-admin, and nothing to everybody or to default accounts.",
    access.subjects,
  ),
  rule(
    "Exposure",
    "exposure",
    ["nsa:network-separation"],
    "No Service opens a port on every node or takes over an external address.",
    placement.exposure,
  ),
  rule("Exposure", "route-tls", [], "Ingresses and the https listeners of gateways have certificates.", openRoutes),
  rule(
    "Placement",
    "default-namespace",
    ["cis:5.7.4"],
    "Nothing is in the namespace default.",
    placement.defaultNamespace,
  ),
  rule(
    "Placement",
    "namespace-labels",
    ["cis:5.2.1"],
    "Namespaces carry the Pod Security label that enforces restricted or baseline.",
    placement.namespaceLabels,
  ),
];
