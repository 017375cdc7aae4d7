import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Access } from "./components/access";
import { waysIn } from "./components/access/ways";
import { type Release, appImages } from "./components/appImages";
import { AppWorkload } from "./components/appWorkload";
import { ClusterServices } from "./components/clusterServices";
import { Environment } from "./components/environment";
import { checkPin, checkServices, clusterFacts, serviceAddress } from "./components/lib/cluster";
import { decoded, parseConfig } from "./components/lib/config";
import { applyDefinitions } from "./components/lib/definitions";
import { readKubeconfig } from "./components/lib/kubeconfig";
import { program } from "./components/lib/program";
import { recordedImages } from "./components/lib/promotion";
import { registryReader } from "./components/lib/registryAccess";
import { definitionsOf, image, readTarget, registryTarget, secretsTarget } from "./components/lib/target";
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
  const installs = config.clusterServices === "install";
  const definitions = installs ? definitionsOf(target) : [];
  // A preview writes nothing, and may look ahead of the stack that installs them.
  if (!installs && !pulumi.runtime.isDryRun()) checkServices(stack, facts);
  enforcePolicies({ stack });
  const source = registryReader(target, kubeconfig);
  const recorded = await recordedImages(stack, config.apps, source);
  if (!pulumi.runtime.isDryRun()) await applyDefinitions(kubeconfig, definitions);

  const cluster = new k8s.Provider("cluster", {
    kubeconfig: kubeconfig.providerInput,
    clusterIdentifier: facts.uid,
    kubeClientSettings: { qps: 500, burst: 1000 },
  });
  const opts = { providers: { kubernetes: cluster, random: new random.Provider("random") } };
  const podCidrs = config.podCidrs ?? facts.podCidrs;

  const environment = new Environment(
    stack,
    { environment: stack, concerns: ["secrets", "registry", "data", "apps"], quota: config.profile.quota },
    opts,
  );
  const { authority, ...vault } = secretsTarget(target, stack);
  const services = installs
    ? new ClusterServices(
        "cluster",
        {
          images: {
            certManager: image(target, "cert-manager-controller"),
            externalSecrets: image(target, "external-secrets"),
          },
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
  const bring = appImages({ environment: stack, target, registry, source, recorded }, opts);
  const releases: Record<string, Release> = {};
  const endpoints: Record<string, pulumi.Output<string>> = {};
  for (const [name, app] of Object.entries(config.apps)) {
    const release = (releases[name] = bring(name, app));
    const { replicas, spread } = config.profile;
    const workload = new AppWorkload(
      name,
      {
        environment: stack,
        namespace,
        image: release.image,
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
  }

  new Access("access", { environment: stack, namespace, ...config.access }, opts);

  return {
    endpoints,
    releases,
    namespaces: environment.names,
    cluster: { uid: facts.uid, server: facts.server },
    access: waysIn({ environment: stack, vault: vault.url, developers: config.access.developers }),
  };
});
