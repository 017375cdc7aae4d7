import { type Fault, faultAt } from "./finding";
import { at, elements, into, type Located, quote, text, UNKNOWN } from "./manifest";
import { showLabels } from "./network";
import type { Member, ObjectSet, Pods } from "./objectSet";
import { mayWrite } from "./accounts";
import { allContainers } from "./podTemplate";
import type { SetFault } from "./rule";

/** Services, what they select, and what controllers expect of them. */

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== "";
const whole = ({ manifest }: Member): Located => ({ path: "", value: manifest });
const specOf = (member: Member): Located => into(whole(member), "spec");

export const servicesOf = (set: ObjectSet): readonly Member[] => set.ofKind("Service", "");

const portsOf = (pods: Pods): Located[] =>
  allContainers(pods.template)
    .filter(({ role }) => role === "container" || role === "sidecar")
    .flatMap((container) => elements(into(container, "ports")));

/** A port that containers give by a name must have it. A number need not be declared, unless others are. */
function targetFaults(port: Located, pods: readonly Pods[]): Fault[] {
  const target = into(port, "targetPort");
  const sought = isSet(target.value) ? target : into(port, "port");
  const declared = pods.flatMap(portsOf);
  if (sought.value === UNKNOWN || declared.some(({ value }) => value === UNKNOWN)) return [];
  const protocol = into(port, "protocol").value ?? "TCP";
  const isName = typeof sought.value === "string" && !/^\d+$/.test(sought.value);
  const field = isName ? "name" : "containerPort";
  const hits = declared.filter((each) => String(into(each, field).value) === String(sought.value));
  if (hits.some((each) => (into(each, "protocol").value ?? "TCP") === protocol)) return [];
  if (hits.length === 0 && !isName && declared.length === 0) return [];
  const known = declared.map(
    (each) => `${quote(into(each, "containerPort").value)} (${text(into(each, "name").value) ?? "no name"})`,
  );
  const found =
    hits.length > 0
      ? `is ${quote(sought.value)}, which the pods have by another protocol than ${text(protocol) ?? "?"}`
      : `is ${quote(sought.value)}, which no container of the selected pods has`;
  return [
    faultAt(sought, {
      found,
      allowed: `one of ${known.join(", ") || "the containers' ports, of which none is declared"}`,
      fix: "name a port that the containers have",
    }),
  ];
}

/** Pods that lack a label, beside others that fit, where somebody may give them labels: a server that leads is marked so. */
function isLabelledLater(set: ObjectSet, selector: unknown, namespace: unknown): boolean {
  const wanted = Object.entries(selector as object);
  const fits = ({ labels }: Pods): boolean =>
    wanted.some(([key, value]) => at(labels, key) === value) &&
    wanted.every(([key, value]) => [undefined, value].includes(at(labels, key)));
  const lacks = set.pods.some((pods) => pods.namespace === namespace && fits(pods));
  return lacks && mayWrite(set, namespace, "pods", ["patch", "update"]);
}

export function serviceSelects(set: ObjectSet): SetFault[] {
  return servicesOf(set).flatMap((member): SetFault[] => {
    const selector = into(specOf(member), "selector");
    const isMap =
      typeof selector.value === "object" && selector.value !== null && Object.keys(selector.value).length > 0;
    if (!isMap || into(specOf(member), "type").value === "ExternalName") return [];
    const { sure, perhaps } = set.selected({ matchLabels: selector.value }, member.namespace);
    if (sure.length === 0 && isLabelledLater(set, selector.value, member.namespace)) return [];
    if (sure.length === 0) {
      const found = `(${showLabels(selector.value)}) selects no pod in namespace ${text(member.namespace) ?? "?"}`;
      const field = perhaps.length > 0 ? { ...selector, value: UNKNOWN } : selector;
      const words = {
        found,
        allowed: "labels that a pod template of the namespace has",
        fix: "write the labels that the template has",
      };
      return [{ of: member.of, ...faultAt(field, words) }];
    }
    if (perhaps.length > 0 || sure.some(({ madeUp }) => madeUp)) return [];
    return elements(into(specOf(member), "ports")).flatMap((port) =>
      targetFaults(port, sure).map((fault) => ({ of: member.of, ...fault })),
    );
  });
}

/** The names of a StatefulSet's pods are the Service's to give. */
export function statefulService(set: ObjectSet): SetFault[] {
  return set.ofKind("StatefulSet", "apps").flatMap((member): SetFault[] => {
    const name = into(specOf(member), "serviceName");
    const allowed = "the name of a Service with clusterIP None that selects the pods";
    const tell = (field: Located, found: string | undefined, fix: string): SetFault[] => [
      { of: member.of, ...faultAt(field, { ...(found === undefined ? {} : { found }), allowed, fix }) },
    ];
    if (!isSet(name.value)) return tell(name, undefined, "add a headless Service, and name it here");
    const { verdict, member: service } = set.named(servicesOf(set), name.value, member.namespace);
    if (service === undefined) {
      const found = `(${JSON.stringify(name.value)}) is the name of no Service in namespace ${text(member.namespace) ?? "?"}`;
      return tell(verdict === UNKNOWN ? { ...name, value: UNKNOWN } : name, found, "add it, with clusterIP: None");
    }
    const address = at(service.manifest, "spec", "clusterIP");
    if (address !== UNKNOWN && address !== "None") {
      return tell(
        name,
        `(${JSON.stringify(name.value)}) is a Service with an address of its own`,
        "set clusterIP: None on the Service",
      );
    }
    const selector = at(service.manifest, "spec", "selector");
    const { sure, perhaps } = set.selected({ matchLabels: selector ?? {} }, member.namespace);
    if ([...sure, ...perhaps].some(({ owner }) => owner === member)) return [];
    return tell(
      name,
      `(${JSON.stringify(name.value)}) is a Service that does not select its pods`,
      "give the Service the template's labels",
    );
  });
}

const MONITORS = "monitoring.coreos.com";

interface Scope {
  readonly all: boolean;
  readonly names: readonly unknown[];
}

function scopeOf(monitor: Member): Scope {
  const chosen = into(specOf(monitor), "namespaceSelector").value;
  const names = elements({ path: "", value: at(chosen, "matchNames") }).map(({ value }) => value);
  return {
    all: at(chosen, "any") === true || names.includes(UNKNOWN),
    names: names.length > 0 ? names : [monitor.namespace],
  };
}

/** Of namespaces that nothing here is in, nothing is known. */
const isOutside = (set: ObjectSet, { all, names }: Scope): boolean => all || names.some((name) => !set.isInside(name));

function selectsNothing(monitor: Member, what: string): SetFault {
  const selector = into(specOf(monitor), "selector");
  const found = `selects no ${what}`;
  return {
    of: monitor.of,
    ...faultAt(selector, {
      found,
      allowed: `a selector that matches the labels of a ${what}`,
      fix: "write the labels that it has",
    }),
  };
}

const noPort = (monitor: Member, port: Located, known: readonly unknown[]): SetFault => ({
  of: monitor.of,
  ...faultAt(port, {
    allowed: `the name of a port that is there: ${known.filter((each) => typeof each === "string").join(", ") || "none has a name"}`,
    fix: "name one of them",
  }),
});

/** What is watched by a name that is not there is not watched, and nobody is told. */
export function monitors(set: ObjectSet): SetFault[] {
  return [
    ...set.ofKind("ServiceMonitor", MONITORS).flatMap((monitor) => serviceMonitor(set, monitor)),
    ...set.ofKind("PodMonitor", MONITORS).flatMap((monitor) => podMonitor(set, monitor)),
  ];
}

function serviceMonitor(set: ObjectSet, monitor: Member): SetFault[] {
  const scope = scopeOf(monitor);
  const selector = into(specOf(monitor), "selector").value;
  const hits = servicesOf(set)
    .filter((service) => scope.all || scope.names.includes(service.namespace))
    .filter((service) => set.picks(selector, at(service.manifest, "metadata", "labels")) !== false);
  if (hits.length === 0) return isOutside(set, scope) ? [] : [selectsNothing(monitor, "Service")];
  const known = hits.flatMap((service) =>
    elements(into(specOf(service), "ports")).map((port) => into(port, "name").value),
  );
  if (known.includes(UNKNOWN)) return [];
  return elements(into(specOf(monitor), "endpoints"))
    .map((endpoint) => into(endpoint, "port"))
    .filter(({ value }) => typeof value === "string" && !known.includes(value))
    .map((port) => noPort(monitor, port, known));
}

function podMonitor(set: ObjectSet, monitor: Member): SetFault[] {
  const scope = scopeOf(monitor);
  const selector = into(specOf(monitor), "selector").value;
  const hits = set.pods
    .filter(({ namespace }) => scope.all || scope.names.includes(namespace))
    .filter(({ labels }) => set.picks(selector, labels) !== false);
  if (hits.length === 0) return isOutside(set, scope) ? [] : [selectsNothing(monitor, "pod")];
  if (hits.some(({ madeUp }) => madeUp)) return [];
  const known = hits.flatMap(portsOf).map((port) => into(port, "name").value);
  if (known.includes(UNKNOWN)) return [];
  return elements(into(specOf(monitor), "podMetricsEndpoints"))
    .map((endpoint) => into(endpoint, "port"))
    .filter(({ value }) => typeof value === "string" && !known.includes(value))
    .map((port) => noPort(monitor, port, known));
}
