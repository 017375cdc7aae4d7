import { execFile } from "node:child_process";
import * as http from "node:http";
import { serveImages } from "../toolchain/images/registryServer";
import { defaultCacheRoot } from "../toolchain/cache";
import { ApiClient, apiClient } from "./apiClient";
import { Layout, PROMISED_ADDRESSES, layoutOf } from "./layout";
import { sleep } from "./processes";
import * as path from "node:path";

/**
 * What a cloud gives its clusters, for a sandbox: an image server for the machines, an address for every LoadBalancer
 * Service, and a route to those addresses over a node that is well. Runs as `cloud.ts NAME SLOT DIR KUBECONFIG`.
 */
export const IMAGE_PORT = 5000;

interface Service {
  metadata: { name: string; namespace: string; resourceVersion: string };
  spec: { type: string; loadBalancerIP?: string };
  status: { loadBalancer?: { ingress?: { ip?: string }[] } };
}

/** The address each Service should have and has not: the one it asks for, else the lowest free. */
export function assignAddresses(
  services: readonly Service[],
  addressAt: (index: number) => string,
): Map<Service, string> {
  const balanced = services.filter((service) => service.spec.type === "LoadBalancer");
  const current = (service: Service): string | undefined => service.status.loadBalancer?.ingress?.[0]?.ip;
  const taken = new Set(balanced.flatMap((service) => current(service) ?? []));
  const all = Array.from({ length: 254 }, (_, index) => addressAt(index + 1));
  const [ours, pool] = [new Set(all), all.slice(PROMISED_ADDRESSES)];
  const changes = new Map<Service, string>();
  for (const service of balanced) {
    if (current(service)) continue;
    const { loadBalancerIP: asked } = service.spec;
    const free = (candidate: string): boolean => !taken.has(candidate);
    const address = asked && ours.has(asked) && free(asked) ? asked : pool.find(free);
    if (!address) continue;
    taken.add(address);
    changes.set(service, address);
  }
  return changes;
}

async function keepAddresses(api: ApiClient, layout: Layout): Promise<never> {
  for (;;) {
    try {
      const list = await api.request<{ items: Service[]; metadata: { resourceVersion: string } }>(
        "GET",
        "/api/v1/services",
      );
      const services = new Map(list.items.map((item) => [`${item.metadata.namespace}/${item.metadata.name}`, item]));
      const assign = async (): Promise<void> => {
        for (const [service, address] of assignAddresses([...services.values()], layout.loadBalancerIp)) {
          service.status.loadBalancer = { ingress: [{ ip: address }] };
          const { namespace, name } = service.metadata;
          await api.request("PATCH", `/api/v1/namespaces/${namespace}/services/${name}/status`, {
            status: service.status,
          });
        }
      };
      await assign();
      let pending = Promise.resolve();
      await api.watch(
        `/api/v1/services?watch=1&timeoutSeconds=300&resourceVersion=${list.metadata.resourceVersion}`,
        (event) => {
          const { type, object } = event as { type: string; object: Service };
          if (type === "ERROR") return;
          const key = `${object.metadata.namespace}/${object.metadata.name}`;
          if (type === "DELETED") services.delete(key);
          else services.set(key, object);
          pending = pending.then(assign).catch((error: Error) => console.error(error.message));
        },
      );
    } catch (error) {
      console.error((error as Error).message);
      await sleep(500);
    }
  }
}

const proxyAnswers = (ip: string): Promise<boolean> =>
  new Promise((done) => {
    const request = http.get({ host: ip, port: 10256, path: "/livez", timeout: 800 }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => done(false));
  });

/** Traffic for load balancer addresses enters over one node; when its proxy stops answering, over the next. */
async function keepRoute(layout: Layout): Promise<never> {
  let via: string | undefined;
  for (;;) {
    if (!via || !(await proxyAnswers(via))) {
      const answers = await Promise.all(layout.nodes.map((node) => proxyAnswers(node.ip)));
      const next = layout.nodes.find((_, index) => answers[index])?.ip;
      if (next && next !== via) {
        await new Promise<void>((done) => {
          execFile("ip", ["route", "replace", layout.loadBalancerCidr, "via", next, "dev", layout.bridge], (error) => {
            if (error) console.error(error.message);
            else via = next;
            done();
          });
        });
      }
    }
    await sleep(via ? 1000 : 250);
  }
}

async function main(): Promise<void> {
  const [name, slot, dir, kubeconfig] = process.argv.slice(2);
  if (!name || !slot || !dir || !kubeconfig) throw new Error("usage: cloud.ts NAME SLOT DIR KUBECONFIG");
  const layout = layoutOf(name, Number(slot), dir);
  await serveImages({ root: path.join(defaultCacheRoot(), "oci"), host: layout.hostIp, port: IMAGE_PORT });
  await Promise.all([keepAddresses(apiClient(kubeconfig), layout), keepRoute(layout)]);
}

if (require.main === module) void main();
