import { type Fault, faultAt, unlessAllowed } from "../finding";
import { elements, field, into, type Located } from "../manifest";
import type { Options } from "../options";
import { allContainers, type PodTemplate } from "../podTemplate";
import { inEveryContext } from "./node";
import { onWindows, ownUsers } from "./users";

/** How the kernel holds a container: seccomp, AppArmor, SELinux, /proc, sysctls. */

export const PROFILES = ["RuntimeDefault", "Localhost"];
const isProfile = (value: unknown): boolean => PROFILES.includes(value as string);
const absent = ({ value }: Located): boolean => value === undefined || value === null;

/** A profile that is given has a type; one that is not given is for others to judge. */
function typed(profile: Located, words: Parameters<typeof faultAt>[1]): Fault[] {
  if (absent(profile)) return [];
  const type = into(profile, "type");
  return isProfile(type.value) ? [] : [faultAt(type, words)];
}

export function seccomp(template: PodTemplate): Fault[] {
  return inEveryContext(template, (context, where) =>
    typed(into(context, "seccompProfile"), {
      ...where,
      allowed: "RuntimeDefault or Localhost",
      fix: "set it to RuntimeDefault",
      set: "RuntimeDefault",
    }),
  );
}

export function seccompRequired(template: PodTemplate): Fault[] {
  if (onWindows(template)) return [];
  // A pod's profile, whatever it is, is the containers' default; a bad one has been named by the rule above.
  if (!absent(into(template.spec, "securityContext", "seccompProfile"))) return [];
  return allContainers(template).flatMap((container) => {
    const profile = into(container, "securityContext", "seccompProfile");
    if (!absent(profile)) return [];
    const allowed = "type RuntimeDefault or Localhost, set for the container or for the pod";
    const fix = "set its type to RuntimeDefault";
    return [faultAt(profile, { container: container.name, allowed, fix, set: { type: "RuntimeDefault" } })];
  });
}

export const APPARMOR = "container.apparmor.security.beta.kubernetes.io/";

export function appArmor(template: PodTemplate): Fault[] {
  const words = {
    allowed: "RuntimeDefault or Localhost, or not set",
    fix: "remove it, or set it to RuntimeDefault",
    set: "RuntimeDefault",
  };
  const annotations = into(template.metadata, "annotations");
  const keys =
    typeof annotations.value === "object" && annotations.value !== null ? Object.keys(annotations.value) : [];
  return [
    ...inEveryContext(template, (context, where) => typed(into(context, "appArmorProfile"), { ...where, ...words })),
    ...keys
      .filter((key) => key.startsWith(APPARMOR))
      .flatMap((key) =>
        unlessAllowed(
          { path: `${annotations.path}["${key}"]`, value: field(annotations.value, key) },
          (value) => value === "" || value === "runtime/default" || String(value).startsWith("localhost/"),
          {
            allowed: "runtime/default or localhost/…",
            fix: "remove it; the profile is a field of securityContext now",
          },
        ),
      ),
  ];
}

const SELINUX_TYPES = ["", "container_t", "container_init_t", "container_kvm_t"];

export const seLinuxTypes = ({ podSecurity }: Options): string[] =>
  podSecurity.version >= 31 ? [...SELINUX_TYPES, "container_engine_t"] : SELINUX_TYPES;

export function seLinux(template: PodTemplate, options: Options): Fault[] {
  const types = seLinuxTypes(options);
  const allowed = `type one of ${types.slice(1).join(", ")}, and neither user nor role`;
  return inEveryContext(template, (context, where) => {
    const options = into(context, "seLinuxOptions");
    const words = { ...where, allowed, fix: "remove it" };
    return [
      ...unlessAllowed(into(options, "type"), (value) => types.includes(value as string), words),
      ...unlessAllowed(into(options, "user"), (value) => value === "", words),
      ...unlessAllowed(into(options, "role"), (value) => value === "", words),
    ];
  });
}

const procMounts = (template: PodTemplate): Fault[] =>
  allContainers(template).flatMap((container) =>
    unlessAllowed(into(container, "securityContext", "procMount"), (value) => value === "Default", {
      container: container.name,
      allowed: "Default, or not set",
      fix: "remove it",
    }),
  );

const mayUnmask = (template: PodTemplate, { podSecurity }: Options): boolean =>
  podSecurity.version >= 35 && ownUsers(template);

export function procMount(template: PodTemplate, options: Options): Fault[] {
  return mayUnmask(template, options) ? [] : procMounts(template);
}

/** Only what the rule above lets pass, so that nothing is said twice. */
export function procMountMasked(template: PodTemplate, options: Options): Fault[] {
  return mayUnmask(template, options) ? procMounts(template) : [];
}

/** The newest version that added some, and which. */
const SYSCTLS: readonly (readonly [number, readonly string[]])[] = [
  [
    29,
    [
      "kernel.shm_rmid_forced",
      "net.ipv4.ip_local_port_range",
      "net.ipv4.ip_local_reserved_ports",
      "net.ipv4.ip_unprivileged_port_start",
      "net.ipv4.ping_group_range",
      "net.ipv4.tcp_fin_timeout",
      "net.ipv4.tcp_keepalive_intvl",
      "net.ipv4.tcp_keepalive_probes",
      "net.ipv4.tcp_keepalive_time",
      "net.ipv4.tcp_syncookies",
    ],
  ],
  [32, ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"]],
  [37, ["net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_slow_start_after_idle"]],
];

export const safeSysctls = ({ podSecurity }: Options): string[] =>
  SYSCTLS.filter(([since]) => podSecurity.version >= since).flatMap(([, names]) => names);

export function sysctls(template: PodTemplate, options: Options): Fault[] {
  const safe = safeSysctls(options);
  return elements(into(template.spec, "securityContext", "sysctls")).flatMap((sysctl) => {
    const name = into(sysctl, "name");
    if (safe.includes(name.value as string)) return [];
    return [faultAt(name, { allowed: `one of ${safe.join(", ")}`, fix: "remove it" })];
  });
}
