import * as path from "node:path";
import { Layout, filesOf } from "./layout";
import { MachineSpec, machineDir } from "./machine";
import { Pair, authority, certificate, componentKubeconfig, signingKey } from "./pki";
import { Tools } from "./tools";

export const CONTROL_PLANE = "cp";

const AUDIT = "var/lib/platform/audit.log";
/** What those who come from outside asked the API server for, never with which content. */
export const auditLog = (layout: Layout): string => path.join(machineDir(layout, CONTROL_PLANE), AUDIT);
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "Metadata", users: ["admin"] },
    { level: "Metadata", userGroups: ["system:serviceaccounts:platform-deployers"] },
    { level: "None" },
  ],
};

/** The credentials that the machines, the cloud controller and the user need. */
export interface ClusterPki {
  readonly ca: Pair;
  readonly platformCa: Pair;
  readonly server: string;
  readonly client: (commonName: string, organization?: string) => string;
  readonly dir: string;
}

export function clusterPki(layout: Layout): ClusterPki {
  const dir = filesOf(layout.dir).pki;
  const ca = authority(dir, "ca", `sandbox ${layout.name} cluster CA`);
  const server = `https://${layout.controlPlaneIp}:6443`;
  return {
    ca,
    // What the machines trust for registries and the edge, as they would trust a company's CA.
    platformCa: authority(dir, "platform-ca", `sandbox ${layout.name} platform CA`),
    server,
    dir,
    client: (commonName, organization) => {
      const file = commonName.replace(/[^a-z0-9-]/g, "_");
      return componentKubeconfig(server, ca, certificate(dir, file, ca, { commonName, organization }));
    },
  };
}

export const shellQuote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
export const command = (binary: string, flags: Readonly<Record<string, string>>): string =>
  [shellQuote(binary), ...Object.entries(flags).map(([flag, value]) => shellQuote(`--${flag}=${value}`))].join(" ");

/** etcd, API server, controller manager and scheduler on a machine of their own, as a managed cluster has them. */
export function controlPlaneSpec(layout: Layout, pki: ClusterPki, tools: Tools): MachineSpec {
  const { dir } = pki;
  const frontCa = authority(dir, "front-proxy-ca", "front proxy CA");
  const serving = certificate(dir, "apiserver", pki.ca, {
    commonName: "kube-apiserver",
    names: [
      `IP:${layout.controlPlaneIp}`,
      `IP:${layout.kubernetesServiceIp}`,
      "IP:127.0.0.1",
      "DNS:kubernetes",
      "DNS:kubernetes.default",
      "DNS:kubernetes.default.svc",
      "DNS:kubernetes.default.svc.cluster.local",
    ],
  });
  const toKubelet = certificate(dir, "apiserver-kubelet-client", pki.ca, {
    commonName: "kube-apiserver-kubelet-client",
  });
  const frontClient = certificate(dir, "front-proxy-client", frontCa, { commonName: "front-proxy-client" });
  const accounts = signingKey(dir, "service-accounts");
  const inMachine = (name: string): string => path.join("/var/lib/platform", name);

  return {
    name: CONTROL_PLANE,
    ip: layout.controlPlaneIp,
    // Webhooks and aggregated APIs are called on their pods' own addresses.
    routes: layout.nodes.map((node) => `route add ${node.podCidr} via ${node.ip}`),
    resolvConf: "",
    env: tools.env,
    files: {
      "var/lib/platform/controller-manager": pki.client("system:kube-controller-manager"),
      "var/lib/platform/scheduler": pki.client("system:kube-scheduler"),
      "var/lib/platform/audit.json": JSON.stringify(AUDIT_POLICY),
    },
    services: {
      etcd: command(tools.bin("etcd"), {
        name: "sandbox",
        "data-dir": "/var/lib/etcd",
        "listen-client-urls": "http://127.0.0.1:2379",
        "advertise-client-urls": "http://127.0.0.1:2379",
        "listen-peer-urls": "http://127.0.0.1:2380",
        "auto-compaction-retention": "5m",
        "auto-compaction-mode": "periodic",
        logger: "zap",
        "log-level": "warn",
      }),
      apiserver: command(tools.bin("kube-apiserver"), {
        "advertise-address": layout.controlPlaneIp,
        "bind-address": "0.0.0.0",
        "secure-port": "6443",
        "etcd-servers": "http://127.0.0.1:2379",
        "service-cluster-ip-range": layout.serviceCidr,
        "client-ca-file": pki.ca.cert,
        "tls-cert-file": serving.cert,
        "tls-private-key-file": serving.key,
        "kubelet-client-certificate": toKubelet.cert,
        "kubelet-client-key": toKubelet.key,
        "kubelet-certificate-authority": pki.ca.cert,
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": accounts.publicKey,
        "service-account-signing-key-file": accounts.key,
        "requestheader-client-ca-file": frontCa.cert,
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": frontClient.cert,
        "proxy-client-key-file": frontClient.key,
        "enable-aggregator-routing": "true",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
        "anonymous-auth": "false",
        "audit-policy-file": inMachine("audit.json"),
        "audit-log-path": `/${AUDIT}`,
        "audit-log-maxsize": "20",
        "audit-log-maxbackup": "1",
        profiling: "false",
      }),
      "controller-manager": command(tools.bin("kube-controller-manager"), {
        kubeconfig: inMachine("controller-manager"),
        "authentication-kubeconfig": inMachine("controller-manager"),
        "authorization-kubeconfig": inMachine("controller-manager"),
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
        "allocate-node-cidrs": "false",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": accounts.key,
        "root-ca-file": pki.ca.cert,
        "cluster-signing-cert-file": pki.ca.cert,
        "cluster-signing-key-file": pki.ca.key,
        "requestheader-client-ca-file": frontCa.cert,
        "node-monitor-grace-period": "16s",
        "kube-api-qps": "100",
        "kube-api-burst": "200",
        profiling: "false",
      }),
      scheduler: command(tools.bin("kube-scheduler"), {
        kubeconfig: inMachine("scheduler"),
        "authentication-kubeconfig": inMachine("scheduler"),
        "authorization-kubeconfig": inMachine("scheduler"),
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
        "kube-api-qps": "100",
        "kube-api-burst": "200",
        profiling: "false",
      }),
    },
  };
}
