import * as path from "node:path";
import { ClusterPki, command, shellQuote } from "./controlPlane";
import { ENVIRONMENTS, registryHost } from "./environments";
import { Layout, NodeLayout } from "./layout";
import { MachineSpec, machineDir } from "./machine";
import { certificate } from "./pki";
import { Tools } from "./tools";

export interface NodeInputs {
  readonly pauseImage: string;
  readonly imageServer: string;
  readonly cgroup: string;
  /** Whether processes may lower their OOM score, which takes CAP_SYS_RESOURCE. */
  readonly canLowerOomScore: boolean;
}

/** A worker: containerd, kubelet, kube-proxy and Calico's felix, with a network and a disk of its own. */
export function nodeSpec(
  layout: Layout,
  node: NodeLayout,
  pki: ClusterPki,
  tools: Tools,
  inputs: NodeInputs,
): MachineSpec {
  const dir = machineDir(layout, node.name);
  const at = (relative: string): string => path.join(dir, relative);
  const serving = certificate(pki.dir, `kubelet-${node.name}`, pki.ca, {
    commonName: node.name,
    names: [`DNS:${node.name}`, `IP:${node.ip}`],
  });
  const others = layout.nodes.filter((other) => other.name !== node.name);

  return {
    name: node.name,
    ip: node.ip,
    routes: [
      ...others.map((other) => `route add ${other.podCidr} via ${other.ip}`),
      // Pods use this link-local address as their gateway; Calico's proxy ARP answers for it only if it is routed.
      "route add 169.254.1.1/32 dev eth0",
      // Reached only through kube-proxy, which rewrites the address before the route matters; without one the packet is refused first.
      `route add ${layout.serviceCidr} dev eth0`,
      `route add ${layout.loadBalancerCidr} dev eth0`,
    ],
    resolvConf: `nameserver ${layout.dnsIp}\n`,
    env: tools.env,
    files: {
      "kubelet.kubeconfig": pki.client(`system:node:${node.name}`, "system:nodes"),
      "proxy.kubeconfig": pki.client("system:kube-proxy"),
      "calico.kubeconfig": pki.client("sandbox:calico"),
      "kubelet.json": JSON.stringify(kubeletConfig(layout, pki, serving, inputs)),
      "containerd.toml": containerdConfig(dir, tools, inputs),
      "certs.d/_default/hosts.toml": `server = "http://${inputs.imageServer}"\n[host."http://${inputs.imageServer}"]\n  capabilities = ["pull", "resolve"]\n`,
      ...registryTrust(layout, pki),
      "cni/10-calico.conflist": cniConfig(node, at("calico.kubeconfig")),
      "felix.cfg": "[global]\n",
    },
    services: {
      containerd: `${shellQuote(tools.bin("containerd"))} --config ${shellQuote(at("containerd.toml"))}`,
      kubelet: command(tools.bin("kubelet"), {
        config: at("kubelet.json"),
        kubeconfig: at("kubelet.kubeconfig"),
        "hostname-override": node.name,
        "node-ip": node.ip,
        "node-labels": [
          `topology.kubernetes.io/zone=${node.zone}`,
          `topology.kubernetes.io/region=${node.region}`,
        ].join(","),
      }),
      "kube-proxy": command(tools.bin("kube-proxy"), {
        kubeconfig: at("proxy.kubeconfig"),
        "hostname-override": node.name,
        "proxy-mode": "nftables",
        "cluster-cidr": layout.podCidr,
        "oom-score-adj": "0",
        "conntrack-max-per-core": "0",
        "conntrack-min": "0",
        "conntrack-tcp-timeout-established": "0s",
        "conntrack-tcp-timeout-close-wait": "0s",
      }),
      felix: `env ${Object.entries(felixEnv(node, at("calico.kubeconfig")))
        .map(([key, value]) => `${key}=${shellQuote(value)}`)
        .join(" ")} ${shellQuote(tools.bin("calico-felix"))} --config-file ${shellQuote(at("felix.cfg"))}`,
    },
  };
}

function kubeletConfig(
  layout: Layout,
  pki: ClusterPki,
  serving: { cert: string; key: string },
  inputs: NodeInputs,
): unknown {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: pki.ca.cert } },
    authorization: { mode: "Webhook" },
    tlsCertFile: serving.cert,
    tlsPrivateKeyFile: serving.key,
    clusterDNS: [layout.dnsIp],
    clusterDomain: "cluster.local",
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    cgroupDriver: "cgroupfs",
    cgroupRoot: inputs.cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: inputs.canLowerOomScore ? -999 : 0,
    // Machines share one disk, whose fill level says nothing about any of them.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
    systemReserved: { memory: "256Mi" },
    serializeImagePulls: false,
    registryPullQPS: 50,
    registryBurst: 100,
    nodeStatusUpdateFrequency: "4s",
    syncFrequency: "20s",
    volumeStatsAggPeriod: "1m",
  };
}

function containerdConfig(dir: string, tools: Tools, inputs: NodeInputs): string {
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${JSON.stringify(inputs.pauseImage)}
  restrict_oom_score_adj = ${!inputs.canLowerOomScore}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = ${JSON.stringify(tools.bin("runc"))}
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${JSON.stringify(tools.cniDir)}
    conf_dir = ${JSON.stringify(path.join(dir, "cni"))}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${JSON.stringify(path.join(dir, "certs.d"))}
`;
}

/** Registries inside the cluster are trusted through the platform's CA, whatever environment they belong to. */
function registryTrust(layout: Layout, pki: ClusterPki): Record<string, string> {
  const entries = ENVIRONMENTS.map((environment) => {
    const host = registryHost(environment);
    return [
      `certs.d/${host}/hosts.toml`,
      `server = "https://${host}"\n[host."https://${host}"]\n  capabilities = ["pull", "resolve"]\n  ca = ${JSON.stringify(pki.platformCa.cert)}\n`,
    ] as const;
  });
  return Object.fromEntries(entries);
}

function cniConfig(node: NodeLayout, kubeconfig: string): string {
  return JSON.stringify({
    name: "sandbox",
    cniVersion: "0.3.1",
    plugins: [
      {
        type: "calico",
        datastore_type: "kubernetes",
        nodename: node.name,
        nodename_file_optional: true,
        mtu: 1500,
        log_level: "warn",
        ipam: { type: "host-local", ranges: [[{ subnet: node.podCidr }]], dataDir: "/var/lib/cni" },
        policy: { type: "k8s" },
        kubernetes: { kubeconfig },
      },
      { type: "portmap", snat: true, capabilities: { portMappings: true } },
    ],
  });
}

const felixEnv = (node: NodeLayout, kubeconfig: string): Record<string, string> => ({
  KUBECONFIG: kubeconfig,
  FELIX_DATASTORETYPE: "kubernetes",
  FELIX_FELIXHOSTNAME: node.name,
  FELIX_IPTABLESBACKEND: "NFT",
  FELIX_IPV6SUPPORT: "false",
  FELIX_DEFAULTENDPOINTTOHOSTACTION: "ACCEPT",
  FELIX_LOGSEVERITYSCREEN: "Warning",
  FELIX_LOGSEVERITYFILE: "none",
  FELIX_LOGSEVERITYSYS: "none",
  FELIX_USAGEREPORTINGENABLED: "false",
  FELIX_BPFENABLED: "false",
  FELIX_XDPENABLED: "false",
  FELIX_HEALTHENABLED: "true",
  FELIX_HEALTHHOST: "127.0.0.1",
});
