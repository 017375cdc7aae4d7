import type { Fault } from "../finding";
import type { Options } from "../options";
import { type PodTemplate, podTemplates } from "../podTemplate";
import { gatesOf } from "../gates";
import type { ObjectRule } from "../rule";
import * as confinement from "./confinement";
import * as node from "./node";
import { NON_ROOT, NON_ROOT_USER, nonRoot } from "./nonRoot";
import * as restricted from "./restricted";

export { nonRoot };

type Check = (template: PodTemplate, options: Options) => Fault[];

const rule = (
  profile: "baseline" | "restricted",
  id: string,
  controls: readonly string[],
  description: string,
  check: Check,
  since = 0,
): ObjectRule => ({
  id,
  family: "Pod Security",
  profile,
  description,
  controls,
  gates: gatesOf(id),
  check: (manifest, options) =>
    options.podSecurity.version < since ? [] : podTemplates(manifest).flatMap((template) => check(template, options)),
});

const VOLUMES = "psa:restrictedVolumes";

export const POD_SECURITY_RULES: readonly ObjectRule[] = [
  rule(
    "baseline",
    "privileged",
    ["psa:privileged", "cis:5.2.2", "nsa:privileged-containers"],
    "No container is privileged.",
    node.privileged,
  ),
  rule(
    "baseline",
    "host-namespaces",
    ["psa:hostNamespaces", "cis:5.2.3", "cis:5.2.4", "cis:5.2.5", "nsa:host-namespaces"],
    "No pod shares the network, the processes or the memory of its node.",
    node.hostNamespaces,
  ),
  rule(
    "baseline",
    "host-path",
    ["psa:hostPathVolumes", VOLUMES, "cis:5.2.12", "nsa:host-path"],
    "No pod mounts a path of its node.",
    node.hostPath,
  ),
  rule(
    "baseline",
    "host-ports",
    ["psa:hostPorts", "cis:5.2.13"],
    "No container takes a port of its node.",
    node.hostPorts,
  ),
  rule(
    "baseline",
    "host-probes",
    ["psa:hostProbesAndHostLifecycle"],
    "Probes and lifecycle hooks ask the pod itself, not another host. From Kubernetes 1.34 on.",
    node.hostProbes,
    34,
  ),
  rule(
    "baseline",
    "capabilities-added",
    ["psa:capabilities_baseline", "psa:capabilities_restricted", "cis:5.2.8", "cis:5.2.9"],
    "No container gets more capabilities than the runtime gives by itself.",
    restricted.addedCapabilities,
  ),
  rule(
    "baseline",
    "seccomp",
    ["psa:seccompProfile_baseline", "psa:seccompProfile_restricted", "cis:5.7.2"],
    "No pod or container turns seccomp off.",
    confinement.seccomp,
  ),
  rule(
    "baseline",
    "apparmor",
    ["psa:appArmorProfile"],
    "No pod or container turns AppArmor off.",
    confinement.appArmor,
  ),
  rule(
    "baseline",
    "selinux",
    ["psa:seLinuxOptions"],
    "No pod or container takes another SELinux user, role or type than a container's.",
    confinement.seLinux,
  ),
  rule(
    "baseline",
    "proc-mount",
    ["psa:procMount", "psa:procMount_restricted"],
    "No container sees /proc unmasked, unless it has a user namespace of its own (Kubernetes 1.35).",
    confinement.procMount,
  ),
  rule("baseline", "sysctls", ["psa:sysctls"], "Only sysctls that stay within the pod are set.", confinement.sysctls),
  rule(
    "baseline",
    "windows-host-process",
    ["psa:windowsHostProcess", "cis:5.2.11"],
    "No Windows container is a process of its node.",
    node.windowsHostProcess,
  ),
  {
    ...rule(
      "restricted",
      "non-root",
      [...new Set([...NON_ROOT, ...NON_ROOT_USER])],
      "No container may run as root, or leave that to its image.",
      () => [],
    ),
    check: nonRoot,
  },
  rule(
    "restricted",
    "privilege-escalation",
    ["psa:allowPrivilegeEscalation", "cis:5.2.6", "nsa:privilege-escalation"],
    "No process may gain more rights than its parent.",
    restricted.privilegeEscalation,
  ),
  rule(
    "restricted",
    "capabilities-dropped",
    ["psa:capabilities_restricted", "cis:5.2.10", "nsa:linux-hardening"],
    "Every container drops all capabilities, and takes back at most NET_BIND_SERVICE.",
    restricted.droppedCapabilities,
  ),
  rule(
    "restricted",
    "seccomp-required",
    ["psa:seccompProfile_restricted", "cis:5.7.2", "nsa:linux-hardening"],
    "Every container has a seccomp profile, its own or its pod's.",
    confinement.seccompRequired,
  ),
  rule(
    "restricted",
    "volume-types",
    [VOLUMES],
    "Volumes are of the types that go through Kubernetes' own objects.",
    restricted.volumeTypes,
  ),
  rule(
    "restricted",
    "proc-mount-masked",
    ["psa:procMount_restricted"],
    "No container sees /proc unmasked, whatever its user namespace.",
    confinement.procMountMasked,
  ),
];
