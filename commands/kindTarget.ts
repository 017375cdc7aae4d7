import * as fs from "node:fs";
import type { Target } from "../components/lib/target";
import { KindCluster, kindDir, kindUp } from "../sandbox/kind";
import { HTTP, HTTPS, registryHost } from "../sandbox/kindConfig";
import { Layout, filesOf, layoutOf } from "../sandbox/layout";
import { authority, certificate } from "../sandbox/pki";
import type { Toolchain } from "../toolchain";
import { imageLock, upstreamReference } from "../toolchain/images/lock";
import { Session, sandboxSession } from "./session";
import { targetFile } from "./target";

/** A kind cluster keeps its files as a sandbox does; the addresses of this layout mean nothing, Docker hands out its own. */
const place = (name: string): Layout => layoutOf(name, 0, kindDir(name));

/** Brings a kind cluster up and writes down what the program needs to know of it. */
export async function kindTarget(name: string, say: (line: string) => void): Promise<Target> {
  const cluster = await kindUp(name, say);
  const target = targetOf(cluster);
  const file = targetFile(place(name));
  fs.writeFileSync(`${file}.new`, JSON.stringify(target, null, 2), { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
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
    const pushHost = `127.0.0.1:${ports[HTTPS]}`;
    return [environment, { host, pushHost, address, certificateFile: pair.cert, keyFile: pair.key }] as const;
  });
  return {
    description: `kind cluster "${name}"`,
    clusterUid: uid,
    images: Object.fromEntries(Object.keys(imageLock).map((image) => [image, upstreamReference(image)])),
    registries: Object.fromEntries(registries),
  };
}

/** The variables for a kind cluster that is up. It builds with the Docker that the machine's own client finds. */
export function kindSession(name: string, toolchain: Toolchain): Session {
  const session = Object.entries(sandboxSession(place(name), toolchain));
  return Object.fromEntries(session.filter(([variable]) => variable !== "DOCKER_HOST"));
}
