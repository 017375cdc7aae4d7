import * as docker from "@pulumi/docker";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { AppImage } from "./components/appImage";
import { AppWorkload } from "./components/appWorkload";
import { Environment } from "./components/environment";
import { checkPin, clusterFacts, readKubeconfig } from "./components/lib/cluster";
import { decoded, parseConfig } from "./components/lib/config";
import { program } from "./components/lib/program";
import { recordedImage } from "./components/lib/promotion";
import { image, readTarget, registryTarget } from "./components/lib/target";
import { RedisCluster } from "./components/redisCluster";
import { Registry } from "./components/registry";
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
  enforcePolicies({ stack });

  const cluster = new k8s.Provider("cluster", {
    kubeconfig: kubeconfig.providerInput,
    clusterIdentifier: facts.uid,
    kubeClientSettings: { qps: 500, burst: 1000 },
  });
  const opts = { providers: { kubernetes: cluster, random: new random.Provider("random") } };
  const podCidrs = config.podCidrs ?? facts.podCidrs;

  const environment = new Environment(
    stack,
    { environment: stack, concerns: ["registry", "data", "apps"], quota: config.profile.quota },
    opts,
  );
  const registry = new Registry(
    "registry",
    {
      environment: stack,
      namespace: environment.namespace("registry"),
      image: image(target, "registry"),
      podCidrs,
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
      spread: config.profile.spread,
      ...config.redis,
    },
    opts,
  );

  const namespace = environment.namespace("apps");
  const pullSecret = registry.pullSecret(namespace, "apps");
  const { pushHost } = registryTarget(target, stack);
  const builder = config.build
    ? new docker.Provider("builder", {
        host: target.dockerHost,
        registryAuth: [{ address: pushHost, username: registry.username, password: registry.password }],
      })
    : undefined;

  const releases: Record<string, { image: pulumi.Output<string> }> = {};
  const endpoints: Record<string, pulumi.Output<string>> = {};
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
      : recordedImage(name, app.from ?? "", registry.host);
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
        redis: app.redis ? redis : undefined,
        replicas,
        spread,
        podCidrs,
      },
      opts,
    );
    endpoints[name] = workload.endpoint;
  }

  return { endpoints, releases, namespaces: environment.names, cluster: { uid: facts.uid, server: facts.server } };
});
