import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Access } from "./components/access";
import { waysIn } from "./components/access/ways";
import { createApps } from "./components/apps";
import { ClusterServices, SERVICE_IMAGES } from "./components/clusterServices";
import { Edge } from "./components/edge";
import { Environment } from "./components/environment";
import type { AddressOf } from "./components/lib/balancer";
import { checkPin, checkServices, clusterFacts, serviceAddress } from "./components/lib/cluster";
import { decoded, parseConfig } from "./components/lib/config";
import { applyDefinitions } from "./components/lib/definitions";
import { readKubeconfig } from "./components/lib/kubeconfig";
import { program } from "./components/lib/program";
import { recordedImages } from "./components/lib/promotion";
import { registryReader } from "./components/lib/registryAccess";
import {
  definitionsOf,
  edgeTarget,
  image,
  imageOrigins,
  images,
  readTarget,
  registryTarget,
  secretsTarget,
} from "./components/lib/target";
import { createMonitoring, wantedMonitoring } from "./components/monitoring/environment";
import { RedisCluster } from "./components/redisCluster";
import { Registry } from "./components/registry";
import { SecretsPlatform } from "./components/secretsPlatform";
import { enforcePolicies } from "./policy/inProgram";

/** The platform of one environment, from its stack file: `pulumi up -s dev`. */
export = program(async () => {
  const stack = pulumi.getStack();
  const settings = new pulumi.Config();
  const config = parseConfig(stack, (key) => decoded(settings.get(key)));
  const target = readTarget();
  const kubeconfig = readKubeconfig();
  const facts = await clusterFacts(kubeconfig);
  checkPin(stack, facts, target.clusterUid ?? config.clusterUid, kubeconfig.context);
  const wanted = wantedMonitoring(target, config.monitoring);
  const installs = config.clusterServices === "install";
  const definitions = installs ? definitionsOf(target, wanted) : [];
  // A preview writes nothing, and may look ahead of the stack that installs them.
  if (!installs && !pulumi.runtime.isDryRun()) checkServices(stack, facts, wanted);
  enforcePolicies({ stack, imagesFrom: imageOrigins(target, stack) });
  const source = registryReader(target, kubeconfig);
  const recorded = await recordedImages(stack, config.apps, source);
  if (!pulumi.runtime.isDryRun()) await applyDefinitions(kubeconfig, definitions);

  const cluster = new k8s.Provider("cluster", {
    kubeconfig: kubeconfig.providerInput,
    clusterIdentifier: facts.uid,
    kubeClientSettings: { qps: 500, burst: 1000 },
  });
  const opts = { providers: { kubernetes: cluster, random: new random.Provider("random") } };
  const { apiServers } = facts;

  const concerns = ["secrets", "registry", "data", "edge", "apps", ...wanted.concerns];
  const { replicas, spread, quota } = config.profile;
  const environment = new Environment(stack, { environment: stack, concerns, quota }, opts);
  const { authority, ...vault } = secretsTarget(target, stack);
  const shared = { environment: stack, images: images(target, SERVICE_IMAGES), authority, apiServers };
  const services = installs
    ? new ClusterServices("cluster", { ...shared, monitoring: wanted.services }, opts)
    : undefined;
  const here = {
    environment: stack,
    spread,
    apiServers,
    podCidrs: config.podCidrs ?? facts.podCidrs,
    services: services?.ready ?? [],
    addressOf: (...service: Parameters<AddressOf>) => serviceAddress(kubeconfig, ...service),
  };
  const secrets = new SecretsPlatform(
    "vault",
    {
      ...here,
      namespace: environment.namespace("secrets"),
      images: images(target, { vault: "vault", node: "node" }),
      ...config.secrets,
      ...vault,
      authority: authority.certificate,
    },
    opts,
  );
  const place = registryTarget(target, stack);
  const registry = new Registry(
    "registry",
    {
      ...here,
      namespace: environment.namespace("registry"),
      image: image(target, "registry"),
      shellImage: image(target, "busybox"),
      secrets,
      ...config.registry,
      ...place,
    },
    opts,
  );
  const redis = new RedisCluster(
    "redis",
    {
      ...here,
      namespace: environment.namespace("data"),
      image: image(target, "redis"),
      exporterImage: wanted.exporterImage,
      secrets,
      authority: authority.certificate,
      ...config.redis,
    },
    opts,
  );

  // Where the next stage finds it.
  registry.pullSecret(environment.namespace("registry"), "stage");
  const edge = new Edge(
    "edge",
    {
      ...here,
      namespace: environment.namespace("edge"),
      routesFrom: environment.namespace("apps"),
      dashboards: environment.names.dashboards,
      image: image(target, "traefik"),
      ...config.edge,
      ...edgeTarget(target, stack),
    },
    opts,
  );
  const { hosts, workloads, ...apps } = createApps(
    config.apps,
    {
      ...here,
      namespace: environment.namespace("apps"),
      replicas,
      registry,
      pushHost: place.pushHost,
      redis,
      secrets,
      edge,
      builder: { dockerHost: target.dockerHost, buildCa: target.buildCa, nodeImage: image(target, "node") },
      recorded,
      source,
    },
    opts,
  );

  new Access("access", { environment: stack, namespace: environment.namespace("apps"), ...config.access }, opts);
  const waits = { services: services?.watching ?? [], authority: authority.certificate };
  const watched = { secrets, registry, redis, edge, workloads };
  const watching = { ...here, ...config.monitoring, ...waits, ...watched, home: environment };
  const dashboards = createMonitoring(wanted, watching, opts);

  services?.guard([environment, secrets, registry, redis, edge, ...Object.values(workloads)], { provider: cluster });
  return {
    ...apps,
    edge: { address: edge.address, hosts, certificateAuthority: authority.certificate },
    namespaces: environment.names,
    cluster: { uid: facts.uid, server: facts.server },
    access: waysIn({ environment: stack, vault: vault.url, developers: config.access.developers, dashboards }),
  };
});
