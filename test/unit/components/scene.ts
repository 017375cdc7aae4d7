import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { AppImage } from "../../../components/appImage";
import { AppWorkload, type AppWorkloadArgs } from "../../../components/appWorkload";
import { Environment, type EnvironmentArgs } from "../../../components/environment";
import { RedisCluster, type RedisClusterArgs } from "../../../components/redisCluster";
import { Registry, type RegistryArgs } from "../../../components/registry";
import type { Recording, Registered } from "./recorder";

/** What `record` runs: sound components, of which a test changes what it is about. */
export class Scene {
  readonly provider = new k8s.Provider("cluster", { kubeconfig: "{}" });
  readonly opts = { provider: this.provider };
  readonly podCidrs = ["10.1.0.0/24", "10.1.1.0/24"];

  environment(name = "dev", change: Partial<EnvironmentArgs> = {}): Environment {
    const quota = { cpu: "8", memory: "8Gi", pods: 40 };
    const concerns = ["registry", "data", "apps"];
    return new Environment(name, { environment: name, concerns, quota, ...change }, this.opts);
  }

  redis(name = "redis", change: Partial<RedisClusterArgs> = {}): RedisCluster {
    const image = "registry.example/redis:8@sha256:1";
    const args: RedisClusterArgs = {
      environment: "dev",
      namespace: "dev-data",
      image,
      mode: "standalone",
      masters: 1,
      replicas: 0,
      storage: "1Gi",
      memory: "128Mi",
      spread: "soft",
    };
    return new RedisCluster(name, { ...args, ...change }, this.opts);
  }

  registry(name = "registry", change: Partial<RegistryArgs> = {}): Registry {
    const args: RegistryArgs = {
      environment: "dev",
      namespace: "dev-registry",
      image: "registry.example/registry:3@sha256:2",
      storage: "5Gi",
      host: "registry.dev-registry.svc.cluster.local",
      certificate: "certificate of the tests",
      key: pulumi.secret("key of the tests"),
      podCidrs: this.podCidrs,
    };
    return new Registry(name, { ...args, ...change }, this.opts);
  }

  app(name = "web", change: Partial<AppWorkloadArgs> = {}): AppWorkload {
    const args: AppWorkloadArgs = {
      environment: "dev",
      namespace: "dev-apps",
      image: "registry.dev-registry.svc.cluster.local/web:1@sha256:3",
      port: 3000,
      replicas: 1,
      spread: "soft",
      podCidrs: this.podCidrs,
    };
    return new AppWorkload(name, { ...args, ...change }, this.opts);
  }

  image(source: string, name = "web", registry: Registry = this.registry(`${name}-registry`)): AppImage {
    const provider = new docker.Provider(`${name}-builder`, { host: "unix:///nowhere" });
    const buildArgs = { NODE_IMAGE: "registry.example/node:24@sha256:4" };
    return new AppImage(name, { source, registry, pushHost: "192.0.2.1", buildArgs }, { provider });
  }
}

/** A folder with a Dockerfile for the tests of one `describe`. */
export function sourceFolder(): () => string {
  let folder: string;
  before(() => {
    folder = join(mkdtempSync(join(tmpdir(), "source-")), "web");
    mkdirSync(folder);
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
  });
  after(() => rmSync(join(folder, ".."), { recursive: true, force: true }));
  return () => folder;
}

/** The last part of a type token: "Deployment". */
export const kindOf = ({ type }: Registered): string => type.slice(type.lastIndexOf(":") + 1);

/** The one resource of a kind, or the one of that name. */
export function one({ resources }: Recording, kind: string, name?: string): Registered {
  const found = resources.filter((each) => !each.read && kindOf(each) === kind && (!name || each.name === name));
  assert.equal(found.length, 1, `${kind} ${name ?? ""}: found ${found.map((each) => each.name).join(", ") || "none"}`);
  return found[0] as Registered;
}

export const names = ({ resources }: Recording, kind: string): string[] =>
  resources.filter((each) => kindOf(each) === kind).map(({ name }) => name);

/** Steps into inputs by a path such as `spec.template.spec.containers.0.image`. */
export function field(resource: Registered, path: string, from: "inputs" | "opened" = "inputs"): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], resource[from]);
}
