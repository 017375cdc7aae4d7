import * as docker from "@pulumi/docker";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { AppImage } from "./components/appImage";
import { AppWorkload } from "./components/appWorkload";
import { ClusterServices } from "./components/clusterServices";
import { Environment } from "./components/environment";
import { checkPin, checkServices, clusterFacts, readKubeconfig, serviceAddress } from "./components/lib/cluster";
import { decoded, parseConfig } from "./components/lib/config";
import type { Peer } from "./components/lib/network";
import { program } from "./components/lib/program";
import { recordedImages } from "./components/lib/promotion";
import { registryReader } from "./components/lib/registryAccess";
import { definitionsOf, image, readTarget, registryTarget, secretsTarget } from "./components/lib/target";
import { Monitoring } from "./components/monitoring";
import { redisRules } from "./components/monitoring/subjects/redis";
import { vaultWatched } from "./components/monitoring/subjects/vault";
import { PromotedImage } from "./components/promotedImage";
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
  // A preview may look ahead of the stack that installs them.
  if (config.clusterServices === "use" && !pulumi.runtime.isDryRun()) checkServices(stack, facts);
  enforcePolicies({ stack });
  const source = registryReader(target, kubeconfig);
  const recorded = await recordedImages(stack, config.apps, source);

  const cluster = new k8s.Provider("cluster", {
    kubeconfig: kubeconfig.providerInput,
    clusterIdentifier: facts.uid,
    kubeClientSettings: { qps: 500, burst: 1000 },
  });
  const opts = { providers: { kubernetes: cluster, random: new random.Provider("random") } };
  const podCidrs = config.podCidrs ?? facts.podCidrs;

  const environment = new Environment(
    stack,
    {
      environment: stack,
      concerns: ["secrets", "registry", "data", "apps", "monitoring"],
      quota: config.profile.quota,
    },
    opts,
  );
  const { authority, ...vault } = secretsTarget(target, stack);
  const services =
    config.clusterServices === "install"
      ? new ClusterServices(
          "cluster",
          {
            images: {
              certManager: image(target, "cert-manager-controller"),
              externalSecrets: image(target, "external-secrets"),
              prometheusOperator: image(target, "prometheus-operator"),
              configReloader: image(target, "prometheus-config-reloader"),
              kubeStateMetrics: image(target, "kube-state-metrics"),
            },
            definitions: definitionsOf(target),
            authority,
            apiServers: facts.apiServers,
          },
          opts,
        ).ready
      : [];
  const secrets = new SecretsPlatform(
    "vault",
    {
      environment: stack,
      namespace: environment.namespace("secrets"),
      images: { vault: image(target, "vault"), node: image(target, "node") },
      spread: config.profile.spread,
      ...config.secrets,
      ...vault,
      authority: authority.certificate,
      podCidrs,
      apiServers: facts.apiServers,
      services,
    },
    opts,
  );
  const registry = new Registry(
    "registry",
    {
      environment: stack,
      namespace: environment.namespace("registry"),
      image: image(target, "registry"),
      shellImage: image(target, "busybox"),
      podCidrs,
      secrets,
      ...config.registry,
      ...registryTarget(target, stack),
    },
    opts,
  );
  const redis = new RedisCluster(
    "redis",
    {
      environment: stack,
      namespace: environment.namespace("data"),
      image: image(target, "redis"),
      secrets,
      spread: config.profile.spread,
      ...config.redis,
    },
    opts,
  );

  const namespace = environment.namespace("apps");
  const pullSecret = registry.pullSecret(namespace, "apps");
  // Where the next stage finds it.
  registry.pullSecret(environment.namespace("registry"), "stage");
  const { pushHost } = registryTarget(target, stack);
  const builder = config.build
    ? new docker.Provider("builder", {
        host: target.dockerHost,
        registryAuth: [{ address: pushHost, ...registry.push }],
      })
    : undefined;

  const releases: Record<string, { image: pulumi.Output<string> }> = {};
  const endpoints: Record<string, pulumi.Output<string>> = {};
  const peers: Record<string, Peer> = {};
  for (const [name, app] of Object.entries(config.apps)) {
    const reference = app.source
      ? new AppImage(
          name,
          {
            source: app.source,
            registry,
            pushHost,
            buildArgs: { NODE_IMAGE: image(target, "node") },
            buildCa: target.buildCa,
          },
          { provider: builder },
        ).reference
      : new PromotedImage(name, { from: app.from ?? "", image: recorded[name], registry, pushHost, source }, opts)
          .reference;
    releases[name] = { image: reference };
    const { replicas, spread } = config.profile;
    const workload = new AppWorkload(
      name,
      {
        environment: stack,
        namespace,
        image: reference,
        pullSecret,
        port: app.port,
        expose: app.expose,
        addressOf: (...service) => serviceAddress(kubeconfig, ...service),
        redis: app.redis ? redis : undefined,
        replicas,
        spread,
        podCidrs,
      },
      opts,
    );
    endpoints[name] = workload.endpoint;
    peers[name] = workload.peer;
  }

  if (config.monitoring.enabled) {
    const monitoring = new Monitoring(
      "monitoring",
      {
        environment: stack,
        namespace: environment.namespace("monitoring"),
        namespaces: environment.names,
        images: {
          prometheus: image(target, "prometheus"),
          alertmanager: image(target, "alertmanager"),
          blackbox: image(target, "blackbox-exporter"),
        },
        ...config.monitoring,
        apiServers: facts.apiServers,
        services,
      },
      opts,
    );
    monitoring.watch("vault", vaultWatched(secrets.peer, environment.namespace("secrets"), authority.certificate));
    monitoring.watch("registry", { peer: registry.peer, port: registry.metricsPorts });
    monitoring.alert("redis", redisRules);
    for (const [name, peer] of Object.entries(peers))
      monitoring.probe(name, {
        peer,
        port: config.apps[name]?.port ?? 0,
        url: pulumi.interpolate`http://${name}.${namespace}.svc.cluster.local/readyz`,
      });
  }

  return { endpoints, releases, namespaces: environment.names, cluster: { uid: facts.uid, server: facts.server } };
});
