import { type Fault, faultAt } from "./finding";
import { at, elements, into, type Located, text, UNKNOWN } from "./manifest";
import type { Member, ObjectSet } from "./objectSet";
import { Producers } from "./producers";
import type { SetFault } from "./rule";
import { servicesOf } from "./services";

/** From a host's name to a port: routes, the Services behind them, the gateways and certificates in front. */

const GATEWAY = "gateway.networking.k8s.io";
const INGRESS = ["networking.k8s.io", "extensions"];
const ROUTES = ["HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"];

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== "";
const specOf = ({ manifest }: Member): Located => into({ path: "", value: manifest }, "spec");
const place = (namespace: unknown): string => text(namespace) ?? "its namespace";

interface Backend {
  readonly name: Located;
  /** By number or by name. */
  readonly port: Located;
  readonly namespace: unknown;
}

function ofIngress(member: Member): Backend[] {
  const spec = specOf(member);
  const backends = [
    into(spec, "defaultBackend"),
    into(spec, "backend"),
    ...elements(into(spec, "rules")).flatMap((rule) =>
      elements(into(rule, "http", "paths")).map((path) => into(path, "backend")),
    ),
  ];
  return backends
    .filter(({ value }) => isSet(value) && value !== UNKNOWN && at(value, "resource") === undefined)
    .map((backend): Backend => {
      if (isSet(at(backend.value, "serviceName"))) {
        return { name: into(backend, "serviceName"), port: into(backend, "servicePort"), namespace: member.namespace };
      }
      const port = into(backend, "service", "port");
      const named = into(port, "name");
      return {
        name: into(backend, "service", "name"),
        port: isSet(named.value) ? named : into(port, "number"),
        namespace: member.namespace,
      };
    });
}

function ofRoute(member: Member): Backend[] {
  return elements(into(specOf(member), "rules"))
    .flatMap((rule) => elements(into(rule, "backendRefs")))
    .filter(
      ({ value }) =>
        value !== UNKNOWN &&
        [undefined, "Service"].includes(at(value, "kind") as string | undefined) &&
        !isSet(at(value, "group")),
    )
    .map((backend) => ({
      name: into(backend, "name"),
      port: into(backend, "port"),
      namespace: into(backend, "namespace").value ?? member.namespace,
    }));
}

function backendFaults(set: ObjectSet, { name, port, namespace }: Backend): Fault[] {
  if (!set.isInside(namespace) || !isSet(name.value)) return [];
  const { verdict, member: service } = set.named(servicesOf(set), name.value, namespace);
  if (service === undefined) {
    const found = `(${JSON.stringify(name.value)}) is the name of no Service in namespace ${place(namespace)}`;
    const words = { found, allowed: "a Service that is deployed with the route", fix: "add it, or correct the name" };
    return [faultAt(verdict === UNKNOWN ? { ...name, value: UNKNOWN } : name, words)];
  }
  const ports = elements(into(specOf(service), "ports"));
  if (!isSet(port.value) || port.value === UNKNOWN || ports.some(({ value }) => value === UNKNOWN)) return [];
  const known = ports.flatMap((each) => [into(each, "port").value, into(each, "name").value]).filter(isSet);
  if (known.includes(UNKNOWN) || known.some((each) => each === port.value || String(each) === String(port.value)))
    return [];
  const allowed = `a port of Service ${place(namespace)}/${String(name.value)}: ${known.map(String).join(", ") || "none"}`;
  return [faultAt(port, { allowed, fix: "name a port that the Service has" })];
}

/** Across namespaces the other side must agree. */
function grantFaults(set: ObjectSet, member: Member, { name, namespace }: Backend): Fault[] {
  if (namespace === member.namespace || namespace === UNKNOWN || !set.isInside(namespace)) return [];
  const grants = [...set.ofKind("ReferenceGrant", GATEWAY)].filter((grant) => grant.namespace === namespace);
  const granted = grants.some(({ manifest }) => {
    const from = elements({ path: "", value: at(manifest, "spec", "from") }).some(
      ({ value }) => at(value, "kind") === member.kind && at(value, "namespace") === member.namespace,
    );
    const to = elements({ path: "", value: at(manifest, "spec", "to") }).some(
      ({ value }) => at(value, "kind") === "Service" && (!isSet(at(value, "name")) || at(value, "name") === name.value),
    );
    return from && to;
  });
  if (granted) return [];
  const found = `is in namespace ${place(namespace)}, where no ReferenceGrant lets routes of ${place(member.namespace)} in`;
  return [
    faultAt(name, {
      found,
      allowed: "a Service of the route's namespace, or one that is granted",
      fix: "add a ReferenceGrant beside the Service",
    }),
  ];
}

function gatewayFaults(set: ObjectSet, member: Member): Fault[] {
  const gateways = set.ofKind("Gateway", GATEWAY);
  return elements(into(specOf(member), "parentRefs"))
    .filter(
      ({ value }) => value !== UNKNOWN && [undefined, "Gateway"].includes(at(value, "kind") as string | undefined),
    )
    .flatMap((parent) => {
      const namespace = at(parent.value, "namespace") ?? member.namespace;
      const name = into(parent, "name");
      if (!set.isInside(namespace) || !isSet(name.value)) return [];
      const { verdict, member: gateway } = set.named(gateways, name.value, namespace);
      if (gateway === undefined) {
        const found = `(${JSON.stringify(name.value)}) is the name of no Gateway in namespace ${place(namespace)}`;
        const words = {
          found,
          allowed: "a Gateway that is deployed with the route",
          fix: "add it, or correct the name",
        };
        return [faultAt(verdict === UNKNOWN ? { ...name, value: UNKNOWN } : name, words)];
      }
      const section = into(parent, "sectionName");
      const names = elements(into(specOf(gateway), "listeners")).map((listener) => into(listener, "name").value);
      if (typeof section.value !== "string" || names.includes(section.value) || names.includes(UNKNOWN)) return [];
      return [
        faultAt(section, {
          allowed: `a listener of the Gateway: ${names.map(String).join(", ")}`,
          fix: "name one of them",
        }),
      ];
    });
}

/** Every route leads to a port that is there. */
export function routes(set: ObjectSet): SetFault[] {
  const ingresses = set.ofKind("Ingress", ...INGRESS);
  const members = ROUTES.flatMap((kind) => [...set.ofKind(kind, GATEWAY)]);
  return [
    ...ingresses.flatMap((member) =>
      ofIngress(member)
        .flatMap((backend) => backendFaults(set, backend))
        .map((fault) => ({ ...fault, of: member.of })),
    ),
    ...members.flatMap((member) =>
      [
        ...ofRoute(member).flatMap((backend) => [...backendFaults(set, backend), ...grantFaults(set, member, backend)]),
        ...gatewayFaults(set, member),
      ].map((fault) => ({ ...fault, of: member.of })),
    ),
  ];
}

function certificateFaults(producers: Producers, name: Located, namespace: unknown): Fault[] {
  if (!isSet(name.value)) return [];
  const { verdict } = producers.find("Secret", namespace, name.value);
  if (verdict === true) return [];
  const found = `(${JSON.stringify(name.value)}) is the name of no Secret in ${place(namespace)}, and of none that a Certificate makes`;
  const words = {
    found,
    allowed: "a Secret with tls.crt and tls.key, or a Certificate's secretName",
    fix: "add a Certificate with this secretName",
  };
  return [faultAt(verdict === UNKNOWN ? { ...name, value: UNKNOWN } : name, words)];
}

/** Every certificate that is served exists. */
export function certificates(set: ObjectSet): SetFault[] {
  const producers = new Producers(set);
  return [
    ...set.ofKind("Ingress", ...INGRESS).flatMap((member) =>
      elements(into(specOf(member), "tls"))
        .flatMap((entry) => certificateFaults(producers, into(entry, "secretName"), member.namespace))
        .map((fault) => ({ ...fault, of: member.of })),
    ),
    ...set.ofKind("Gateway", GATEWAY).flatMap((member) =>
      elements(into(specOf(member), "listeners"))
        .flatMap((listener) => elements(into(listener, "tls", "certificateRefs")))
        .filter(
          ({ value }) => value !== UNKNOWN && [undefined, "Secret"].includes(at(value, "kind") as string | undefined),
        )
        .flatMap((entry) => {
          const namespace = at(entry.value, "namespace") ?? member.namespace;
          return set.isInside(namespace) ? certificateFaults(producers, into(entry, "name"), namespace) : [];
        })
        .map((fault) => ({ ...fault, of: member.of })),
    ),
  ];
}

/** One object says it all: hosts that are served in the open. */
export function openRoutes(manifest: Member["manifest"]): Fault[] {
  const spec = into({ path: "", value: manifest }, "spec");
  if (manifest.kind === "Ingress") {
    const tls = into(spec, "tls");
    if (elements(tls).length > 0) return [];
    return [
      faultAt(tls, {
        found: "is empty: what goes in and out can be read on the way",
        allowed: "a certificate for every host",
        fix: "name the hosts and a secretName with their certificate",
      }),
    ];
  }
  if (manifest.kind !== "Gateway") return [];
  return elements(into(spec, "listeners")).flatMap((listener) => {
    const [protocol, tls] = [into(listener, "protocol").value, into(listener, "tls")];
    const mode = at(tls.value, "mode") ?? "Terminate";
    if (protocol !== "HTTPS" || mode !== "Terminate" || tls.value === UNKNOWN) return [];
    const refs = into(tls, "certificateRefs");
    if (elements(refs).length > 0 || at(tls.value, "options") !== undefined) return [];
    return [faultAt(refs, { allowed: "a Secret with the listener's certificate", fix: "name the Secret" })];
  });
}
