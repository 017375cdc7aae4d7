import { PULL_PORT, PUSH_PORT } from "../components/lib/registryPorts";
import { type Target, officialImages } from "../components/lib/target";
import { VAULT_PORT } from "../components/secretsPlatform/settings";
import { KindCluster, kindDir, kindUp } from "../sandbox/kind";
import { registryHost } from "../sandbox/environments";
import { EDGE_PORTS, HTTP } from "../sandbox/kindConfig";
import { filesOf } from "../sandbox/layout";
import { authority, certificate } from "../sandbox/pki";
import type { Toolchain } from "../toolchain";
import { Session, sandboxSession } from "./session";
import { definitions, writeTarget } from "./target";

/** Brings a kind cluster up and writes down what the program needs to know of it. */
export async function kindTarget(name: string, say: (line: string) => void): Promise<Target> {
  const cluster = await kindUp(name, say);
  const target = { ...targetOf(cluster), definitions: await definitions() };
  writeTarget(kindDir(name), target);
  for (const { environment, ports } of cluster.nodes)
    say(`  what ${environment} exposes is also at http://127.0.0.1:${ports[HTTP]}`);
  return target;
}

function targetOf({ name, dir, uid, nodes }: KindCluster): Target {
  const { pki } = filesOf(dir);
  const ca = authority(pki, "platform-ca", `kind ${name} platform CA`);
  const registries = nodes.map(({ environment, address, ports }) => {
    const host = registryHost(environment);
    // Images are pushed over the host's loopback: every Docker reaches it, and none needs to be told to trust it.
    const pair = certificate(pki, `registry-${environment}`, ca, {
      commonName: host,
      names: [`DNS:${host}`, "IP:127.0.0.1"],
    });
    const [pullHost, pushHost] = [PULL_PORT, PUSH_PORT].map((port) => `127.0.0.1:${ports[port]}`) as [string, string];
    const files = { certificateFile: pair.cert, keyFile: pair.key };
    return [environment, { host, pullHost, pushHost, address, ...files }] as const;
  });
  return {
    description: `kind cluster "${name}"`,
    clusterUid: uid,
    images: officialImages(),
    registries: Object.fromEntries(registries),
    vaults: Object.fromEntries(
      nodes.map(({ environment, address, ports }) => [
        environment,
        { url: `https://127.0.0.1:${ports[VAULT_PORT]}`, address },
      ]),
    ),
    edges: Object.fromEntries(nodes.map(({ environment, address }) => [environment, { address, ports: EDGE_PORTS }])),
    authority: { certificateFile: ca.cert, keyFile: ca.key },
  };
}

/** The variables for a kind cluster that is up. It builds with the Docker that the machine's own client finds. */
export function kindSession(name: string, toolchain: Toolchain): Session {
  const session = Object.entries(sandboxSession(kindDir(name), toolchain));
  return Object.fromEntries(session.filter(([variable]) => variable !== "DOCKER_HOST"));
}
