import { type Fault, faultAt } from "./finding";
import { at, elements, into, kindOf, type Manifest, UNKNOWN } from "./manifest";
import { allContainers, type Container, type PodTemplate, podTemplates } from "./podTemplate";
import { compileSelector } from "./selector";

const isUnset = (value: unknown): boolean => value === undefined || value === null;
const main = (template: PodTemplate): Container[] =>
  allContainers(template).filter(({ role, value }) => role === "container" && value !== UNKNOWN);

export const PURPOSE = {
  readinessProbe: "so that no traffic goes to a pod that cannot answer",
  livenessProbe: "so that a container that hangs is started again",
} as const;

/** Pods that end by themselves are judged by their end. */
export function probes(manifest: Manifest): Fault[] {
  return podTemplates(manifest)
    .filter(({ lasting }) => lasting)
    .flatMap(main)
    .flatMap((container) =>
      (Object.keys(PURPOSE) as (keyof typeof PURPOSE)[])
        .map((name) => into(container, name))
        .filter(({ value }) => isUnset(value))
        .map((probe) => {
          const purpose = PURPOSE[probe.path.endsWith("livenessProbe") ? "livenessProbe" : "readinessProbe"];
          const set = { httpGet: { path: "/healthz", port: 8080 } };
          const fix = `add a probe of the application's own answer, ${purpose}`;
          return faultAt(probe, { container: container.name, allowed: "readinessProbe and livenessProbe", fix, set });
        }),
    );
}

export const PROBES = ["readinessProbe", "livenessProbe", "startupProbe"];

/** A probe of a port by a name that its container does not give fails for ever. */
export function probePorts(manifest: Manifest): Fault[] {
  return podTemplates(manifest)
    .flatMap(allContainers)
    .flatMap((container) => {
      const ports = elements(into(container, "ports"));
      const names = ports.map((port) => into(port, "name").value);
      if (names.includes(UNKNOWN)) return [];
      return PROBES.flatMap((probe) => ["httpGet", "tcpSocket"].map((way) => into(container, probe, way, "port")))
        .filter(({ value }) => typeof value === "string" && !/^\d+$/.test(value) && !names.includes(value))
        .map((port) => {
          const known = names.filter((name) => typeof name === "string").join(", ") || "none";
          const allowed = `a number, or the name of one of the container's ports (${known})`;
          return faultAt(port, {
            container: container.name,
            allowed,
            fix: "name the port under ports, or use its number",
          });
        });
    });
}

export const DEFAULT_GRACE = 30;

/** Seconds that a hook waits for certain: its own sleep, or a sleep that its command starts with. */
function sleepOf(container: Container): number {
  const hook = into(container, "lifecycle", "preStop").value;
  const own = at(hook, "sleep", "seconds");
  if (typeof own === "number") return own;
  const command = at(hook, "exec", "command");
  if (!Array.isArray(command)) return 0;
  const words = command.map((word) => (typeof word === "string" ? word : "")).join(" ");
  return Number(/(?:^|[\s;&/"'])sleep\s+(\d+)/.exec(words)?.[1] ?? 0);
}

export function grace(manifest: Manifest): Fault[] {
  return podTemplates(manifest).flatMap((template) => {
    const period = into(template.spec, "terminationGracePeriodSeconds");
    if (period.value === UNKNOWN) return [];
    const seconds = typeof period.value === "number" ? period.value : DEFAULT_GRACE;
    return allContainers(template)
      .map((container) => ({ container, sleep: sleepOf(container) }))
      .filter(({ sleep }) => sleep > 0 && seconds <= sleep)
      .slice(0, 1)
      .map(({ container, sleep }) => {
        const found = isUnset(period.value)
          ? `is not set, which means ${DEFAULT_GRACE}, and preStop alone waits ${sleep}`
          : `is ${seconds}, and preStop alone waits ${sleep}`;
        const allowed = `more than the ${sleep} seconds of preStop, with time for the process to end`;
        const set = sleep + DEFAULT_GRACE;
        return faultAt(period, { container: container.name, found, allowed, fix: `set it to ${set}`, set });
      });
  });
}

export const SPREAD_KINDS = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"];

export function spread(manifest: Manifest): Fault[] {
  const replicas = at(manifest, "spec", "replicas");
  if (!SPREAD_KINDS.includes(kindOf(manifest)) || typeof replicas !== "number" || replicas < 2) return [];
  return podTemplates(manifest).flatMap((template) => {
    const constraints = into(template.spec, "topologySpreadConstraints");
    const affinity = into(template.spec, "affinity", "podAntiAffinity").value;
    if (constraints.value === UNKNOWN || affinity === UNKNOWN) return [];
    const terms = [
      ...elements(constraints).map(({ value }) => value),
      ...elements({ path: "", value: at(affinity, "requiredDuringSchedulingIgnoredDuringExecution") }).map(
        ({ value }) => value,
      ),
      ...elements({ path: "", value: at(affinity, "preferredDuringSchedulingIgnoredDuringExecution") }).map(
        ({ value }) => at(value, "podAffinityTerm"),
      ),
    ];
    const isOwn = terms.some((term) => {
      const selector = at(term, "labelSelector");
      return !isUnset(selector) && compileSelector(selector)(template.labels.value) !== false;
    });
    if (isOwn) return [];
    const none = terms.length === 0;
    return [
      faultAt(constraints, {
        found: none
          ? `is empty for ${replicas} replicas, and podAntiAffinity too`
          : "selects none of the pods that it stands in",
        allowed: "a constraint, or podAntiAffinity, that keeps replicas apart",
        fix: "add a constraint over kubernetes.io/hostname with the template's labels",
        set: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: template.labels.value ?? {} },
          },
        ],
      }),
    ];
  });
}
