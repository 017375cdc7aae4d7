import type { Options } from "../rules/options";
import { APPARMOR, PROFILES, safeSysctls, seLinuxTypes } from "../rules/podSecurity/confinement";
import { HANDLERS, HOST_NAMESPACES } from "../rules/podSecurity/node";
import { ALLOWED_VOLUMES, DEFAULT_SET } from "../rules/podSecurity/restricted";
import {
  type AdmissionRule,
  type Cel,
  SPEC,
  concat,
  get,
  inContainers,
  inContexts,
  isSet,
  list,
  placeIf,
  placesIn,
  pods,
  text,
} from "./cel";

/** The Pod Security rules as the API server holds them, from the same data. Unset fields are absent there, and types are sound. */

const USER_NAMESPACES = 35;
const ownUsers = `${get(SPEC, "hostUsers", "true")} == false`;
const onWindows = `${get(SPEC, "os.name", '""')} == "windows"`;
const VOLUMES = "variables.volumes";
const CONTEXT = "securityContext";

/** Nothing, where the pod is of a sort that the rule leaves alone. */
const unless = (left: Cel, places: Cel): Cel => `(${left} ? [] : ${places})`;

const untyped = (profile: string, from: Cel): Cel =>
  `${isSet(from, `${CONTEXT}.${profile}`)} && !(${get(from, `${CONTEXT}.${profile}.type`, '""')} in ${list(PROFILES)})`;

const capabilities = (way: "add" | "drop"): Cel => get("c", `${CONTEXT}.capabilities.${way}`, "[]");

const procMounts = inContainers(
  `${get("c", `${CONTEXT}.procMount`, '"Default"')} != "Default"`,
  `${CONTEXT}.procMount`,
);

const knowsUserNamespaces = ({ podSecurity }: Options): boolean => podSecurity.version >= USER_NAMESPACES;

const rootOnly = (from: Cel): Cel => `${get(from, `${CONTEXT}.runAsUser`, "1")} <= 0`;
const podSays = isSet(SPEC, `${CONTEXT}.runAsNonRoot`);
const mayBeRoot = `${isSet("c", `${CONTEXT}.runAsNonRoot`)} ? c.${CONTEXT}.runAsNonRoot != true : !${podSays}`;

const nonRoot = concat([
  placeIf(`!${get(SPEC, `${CONTEXT}.runAsNonRoot`, "true")}`, `${CONTEXT}.runAsNonRoot`),
  inContainers(mayBeRoot, `${CONTEXT}.runAsNonRoot`),
  inContexts(rootOnly, `${CONTEXT}.runAsUser`),
]);

const annotations = get("variables.template", "metadata.annotations", "{}");
const unconfined =
  `${annotations}.filter(k, k.startsWith(${text(APPARMOR)}) && !(${annotations}[k] in ["", "runtime/default"]) && ` +
  `!${annotations}[k].startsWith("localhost/")).map(k, "metadata.annotations[\\"" + k + "\\"]")`;

const KINDS = list([...ALLOWED_VOLUMES]);

export const POD_SECURITY: Readonly<Record<string, AdmissionRule>> = {
  privileged: pods("false, or not set", () =>
    inContainers(get("c", `${CONTEXT}.privileged`, "false"), `${CONTEXT}.privileged`),
  ),
  "host-namespaces": pods("false, or not set", () =>
    concat(Object.keys(HOST_NAMESPACES).map((field) => placeIf(get(SPEC, field, "false"), field))),
  ),
  "host-path": pods("no volume of type hostPath", () =>
    placesIn(VOLUMES, "v", "volume", "has(v.hostPath)", "hostPath"),
  ),
  "host-ports": pods("0, or not set", () =>
    inContainers(`${get("c", "ports", "[]")}.exists(p, ${get("p", "hostPort", "0")} != 0)`, "ports.hostPort"),
  ),
  "host-probes": pods("not set: the kubelet asks the pod itself", ({ podSecurity }) =>
    podSecurity.version < 34
      ? undefined
      : concat(
          HANDLERS.flatMap((handler) =>
            ["httpGet", "tcpSocket"].map((way) => {
              const path = [...handler, way, "host"].join(".");
              return inContainers(`${get("c", path, '""')} != ""`, path);
            }),
          ),
        ),
  ),
  "capabilities-added": pods(`none, or of the default set ${DEFAULT_SET.join(", ")}`, () =>
    inContainers(`${capabilities("add")}.exists(x, !(x in ${list(DEFAULT_SET)}))`, `${CONTEXT}.capabilities.add`),
  ),
  seccomp: pods(PROFILES.join(" or "), () =>
    inContexts((from) => untyped("seccompProfile", from), `${CONTEXT}.seccompProfile.type`),
  ),
  apparmor: pods(`${PROFILES.join(" or ")}, or not set`, () =>
    concat([inContexts((from) => untyped("appArmorProfile", from), `${CONTEXT}.appArmorProfile.type`), unconfined]),
  ),
  selinux: pods(
    (options) => `type one of ${seLinuxTypes(options).slice(1).join(", ")}, and neither user nor role`,
    (options) => {
      const part = (field: string, allowed: readonly string[]): Cel =>
        inContexts(
          (from) => `!(${get(from, `${CONTEXT}.seLinuxOptions.${field}`, '""')} in ${list(allowed)})`,
          `${CONTEXT}.seLinuxOptions.${field}`,
        );
      return concat([part("type", seLinuxTypes(options)), part("user", [""]), part("role", [""])]);
    },
  ),
  "proc-mount": pods("Default, or not set", (options) =>
    knowsUserNamespaces(options) ? unless(ownUsers, procMounts) : procMounts,
  ),
  sysctls: pods(
    (options) => `names of ${safeSysctls(options).join(", ")}`,
    (options) =>
      placeIf(
        `${get(SPEC, `${CONTEXT}.sysctls`, "[]")}.exists(s, !(s.name in ${list(safeSysctls(options))}))`,
        `${CONTEXT}.sysctls.name`,
      ),
  ),
  "windows-host-process": pods("false, or not set", () =>
    inContexts(
      (from) => get(from, `${CONTEXT}.windowsOptions.hostProcess`, "false"),
      `${CONTEXT}.windowsOptions.hostProcess`,
    ),
  ),
  "non-root": pods("runAsNonRoot true for every container, set there or on the pod, and no runAsUser 0", (options) =>
    knowsUserNamespaces(options) ? unless(ownUsers, nonRoot) : nonRoot,
  ),
  "privilege-escalation": pods("false, said for every container", () =>
    unless(
      onWindows,
      inContainers(get("c", `${CONTEXT}.allowPrivilegeEscalation`, "true"), `${CONTEXT}.allowPrivilegeEscalation`),
    ),
  ),
  "capabilities-dropped": pods('drop with "ALL", and of the others only NET_BIND_SERVICE added', () => {
    const kept = `x in ${list(DEFAULT_SET)} && x != "NET_BIND_SERVICE"`;
    return unless(
      onWindows,
      concat([
        inContainers(`!("ALL" in ${capabilities("drop")})`, `${CONTEXT}.capabilities.drop`),
        inContainers(`${capabilities("add")}.exists(x, ${kept})`, `${CONTEXT}.capabilities.add`),
      ]),
    );
  }),
  "seccomp-required": pods("type RuntimeDefault or Localhost, set for the container or for the pod", () =>
    unless(
      `${onWindows} || ${isSet(SPEC, `${CONTEXT}.seccompProfile`)}`,
      inContainers(`!${isSet("c", `${CONTEXT}.seccompProfile`)}`, `${CONTEXT}.seccompProfile`),
    ),
  ),
  "volume-types": pods(`volumes of type ${ALLOWED_VOLUMES.join(", ")}`, () => {
    const other = 'v.filter(k, !(k in ["name", "hostPath"]))';
    return (
      `${VOLUMES}.filter(v, !${KINDS}.exists(k, k in v) && size(${other}) > 0)` +
      `.map(v, "volume \\"" + v.name + "\\": " + ${other}[0])`
    );
  }),
  "proc-mount-masked": pods("Default, or not set", (options) =>
    knowsUserNamespaces(options) ? unless(`!(${ownUsers})`, procMounts) : undefined,
  ),
};
