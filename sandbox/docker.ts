import * as fs from "node:fs";
import { PUSH_PORT } from "../components/lib/registryPorts";
import { ClusterPki, shellQuote } from "./controlPlane";
import { Layout, PROMISED_ADDRESSES, filesOf } from "./layout";
import { MachineSpec } from "./machine";
import { Tools } from "./tools";

export const DOCKER = "docker";

/**
 * A Docker daemon for building images: in mount and PID namespaces of its own, on the host's network, because builds
 * fetch their packages. It trusts the platform's CA for the sandbox's registries and takes base images from the
 * sandbox's image server.
 */
export function dockerSpec(layout: Layout, pki: ClusterPki, tools: Tools, imageServer: string): MachineSpec {
  const ca = fs.readFileSync(pki.platformCa.cert, "utf8");
  const registries = Array.from(
    { length: PROMISED_ADDRESSES },
    (_, index) => `${layout.loadBalancerIp(index + 1)}:${PUSH_PORT}`,
  );
  return {
    name: DOCKER,
    resolvConf: fs.readFileSync("/etc/resolv.conf", "utf8"),
    env: tools.env,
    files: Object.fromEntries(registries.map((registry) => [`etc/docker/certs.d/${registry}/ca.crt`, ca])),
    services: {
      dockerd: [
        tools.bin("dockerd"),
        `--host=${dockerHost(layout.dir)}`,
        "--data-root=/var/lib/docker",
        "--exec-root=/run/docker",
        "--pidfile=/run/docker.pid",
        `--registry-mirror=http://${imageServer}`,
        // BuildKit takes a mirror for plain HTTP only when it is listed here with its scheme.
        `--insecure-registry=http://${imageServer}`,
        "--iptables=false",
        "--ip6tables=false",
        "--bridge=none",
        "--oom-score-adjust=0",
        `--cgroup-parent=platform-${layout.bridge}/docker`,
        "--storage-driver=overlay2",
      ]
        .map(shellQuote)
        .join(" "),
    },
  };
}

export const dockerHost = (dir: string): string => `unix://${filesOf(dir).dockerSocket}`;
