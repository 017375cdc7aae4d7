import * as fs from "node:fs";
import * as path from "node:path";
import { PUSH_PORT } from "../components/lib/registryPorts";
import type { Target } from "../components/lib/target";
import { VAULT_PORT } from "../components/secretsPlatform/settings";
import { dockerHost } from "../sandbox/docker";
import { ENVIRONMENTS, registryHost } from "../sandbox/environments";
import { Layout, filesOf } from "../sandbox/layout";
import { authority, certificate } from "../sandbox/pki";
import { crdFiles, ensureCrds } from "../toolchain/crds";
import { ensureImages } from "../toolchain/images";

/** The images that the program runs; the sandbox's own parts bring theirs themselves. */
export const PROGRAM_IMAGES = [
  "redis",
  "registry",
  "node",
  "python",
  "httpd",
  "busybox",
  "vault",
  "cert-manager-controller",
  "external-secrets",
  "traefik",
  "prometheus-operator",
  "prometheus-config-reloader",
  "kube-state-metrics",
  "node-exporter",
  "prometheus",
  "alertmanager",
  "blackbox-exporter",
  "redis-exporter",
  "postgres",
  "patroni",
  "postgres-exporter",
  "minio",
];

const DEFINED = ["cert-manager", "external-secrets", "gateway-api", "prometheus-operator"] as const;

/** Files with the definitions of the custom resources that the program uses. */
export async function definitions(): Promise<string[]> {
  const directories = await ensureCrds();
  return DEFINED.flatMap((component) => crdFiles(directories[component]));
}

/** Writes down what the program needs to know of a sandbox. The file holds paths, never keys. */
export async function writeSandboxTarget(
  layout: Layout,
  clusterUid: string,
  say: (line: string) => void,
): Promise<Target> {
  const images = await ensureImages(PROGRAM_IMAGES, { report: say });
  const pki = filesOf(layout.dir).pki;
  const ca = authority(pki, "platform-ca", `sandbox ${layout.name} platform CA`);
  const registries = ENVIRONMENTS.map((environment, index) => {
    const host = registryHost(environment);
    const address = layout.loadBalancerIp(index + 1);
    const pair = certificate(pki, `registry-${environment}`, ca, {
      commonName: host,
      names: [`DNS:${host}`, `IP:${address}`],
    });
    const [pullHost, pushHost] = [address, `${address}:${PUSH_PORT}`];
    const files = { certificateFile: pair.cert, keyFile: pair.key };
    return [environment, { host, pullHost, pushHost, address, ...files }] as const;
  });
  const target: Target = {
    description: `sandbox "${layout.name}"`,
    clusterUid,
    images: Object.fromEntries(Object.entries(images).map(([name, { reference }]) => [name, reference])),
    dockerHost: dockerHost(layout.dir),
    buildCa: systemBundle(),
    registries: Object.fromEntries(registries),
    vaults: Object.fromEntries(
      ENVIRONMENTS.map((environment, index) => {
        const address = layout.loadBalancerIp(ENVIRONMENTS.length + index + 1);
        return [environment, { url: `https://${address}:${VAULT_PORT}`, address }];
      }),
    ),
    edges: Object.fromEntries(
      ENVIRONMENTS.map((environment, index) => [
        environment,
        { address: layout.loadBalancerIp(2 * ENVIRONMENTS.length + index + 1) },
      ]),
    ),
    authority: { certificateFile: ca.cert, keyFile: ca.key },
    definitions: await definitions(),
  };
  writeTarget(layout.dir, target);
  return target;
}

/** Replaces the target file as a whole. */
export function writeTarget(dir: string, target: Target): void {
  const file = filesOf(dir).target;
  fs.writeFileSync(`${file}.new`, JSON.stringify(target, null, 2), { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}

const systemBundle = (): string | undefined =>
  ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"].find((file) => fs.existsSync(file));

/** What certificates of the platform's registries verify against, with the system's own authorities. */
export function trustBundle(dir: string): string {
  const { trust, pki } = filesOf(dir);
  const system = systemBundle();
  const own = fs.readFileSync(path.join(pki, "platform-ca.crt"), "utf8");
  fs.writeFileSync(trust, `${system ? fs.readFileSync(system, "utf8") : ""}\n${own}`);
  return trust;
}
