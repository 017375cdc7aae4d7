import { Access } from "./components/access";
import { waysIn } from "./components/access/ways";
import { Admission } from "./components/admission";
import { createApps } from "./components/apps";
import { ClusterServices, SERVICE_IMAGES } from "./components/clusterServices";
import { guardData } from "./components/dataGuard";
import { Edge } from "./components/edge";
import { Environment } from "./components/environment";
import { survey } from "./components/ground";
import { concernsOf } from "./components/lib/concerns";
import { program } from "./components/lib/program";
import { createMonitoring } from "./components/monitoring/environment";
import { Registry } from "./components/registry";
import { SecretsPlatform, VAULT_IMAGES } from "./components/secretsPlatform";
import { createStores } from "./components/stores";

/** The platform of one environment, from its stack file: `pulumi up -s dev`. */
export = program(async () => {
  const ground = await survey();
  const { stack, config, wanted, status, imageOf, imagesOf, imagesFrom, opts } = ground;
  const { replicas, quota, data } = config.profile;

  const concerns = concernsOf(wanted, status);
  const admission = new Admission("admission", { environment: stack, concerns, imagesFrom }, opts);
  const home = { environment: stack, concerns, quota, enter: ground.enter, admission: admission.policies };
  const environment = new Environment(stack, home, opts);
  const once = {
    ...ground.here,
    authority: ground.authority,
    deployers: config.deployers,
    monitoring: wanted.services,
  };
  const services = ground.installs
    ? new ClusterServices("cluster", { ...once, images: imagesOf(SERVICE_IMAGES) }, opts)
    : undefined;
  const here = { ...ground.here, services: services?.ready ?? [] };
  const within = (concern: string) => ({ ...here, namespace: environment.namespace(concern) });

  const vault = { ...within("secrets"), ...config.secrets, ...ground.vault, images: imagesOf(VAULT_IMAGES) };
  const secrets = new SecretsPlatform("vault", vault, opts);

  const serving = { image: imageOf("registry"), shellImage: imageOf("busybox"), secrets };
  const registry = new Registry(
    "registry",
    { ...within("registry"), ...config.registry, ...ground.registry, ...serving },
    opts,
  );
  const stores = createStores(config, { ...within("data"), secrets }, opts);

  registry.forNextStage(ground.promoters);
  const { dashboards: shown, status: page } = environment.names;
  const pages = { dashboards: shown, status: page, watchers: status.watchers };
  const routes = { routesFrom: environment.namespace("apps"), ...pages };
  const edge = new Edge(
    "edge",
    { ...within("edge"), ...config.edge, ...ground.edge, ...routes, image: imageOf("traefik") },
    opts,
  );

  const placed = status.place(environment, registry, ground.here.authority);
  const { hosts, workloads, ...apps } = createApps(
    status.apps,
    { ...within("apps"), ...ground.supply, ...stores, replicas, registry, secrets, edge, placed },
    opts,
  );
  const access = new Access(
    "access",
    { environment: stack, namespace: environment.namespace("apps"), ...config.access },
    opts,
  );

  const watched = { secrets, registry, stores: stores.watched, edge, workloads };
  const { watchers, dashboards } = createMonitoring(
    wanted,
    { ...here, ...config.monitoring, ...watched, services: services?.watching ?? [], home: environment },
    opts,
  );

  const parts = [
    environment,
    secrets,
    registry,
    ...stores.servers,
    edge,
    ...Object.values(workloads),
    access,
    ...watchers,
  ];
  const alone = { provider: opts.providers.kubernetes };
  guardData({ ...within("data"), data }, parts, alone);
  services?.guard(parts, alone);
  const { certificate: certificateAuthority } = ground.authority;
  return {
    ...apps,
    edge: { address: edge.address, hosts, certificateAuthority },
    namespaces: environment.names,
    cluster: ground.cluster,
    access: waysIn({ environment: stack, vault: ground.vault.url, developers: config.access.developers, dashboards }),
  };
});
