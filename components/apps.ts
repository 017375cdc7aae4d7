import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { AppImage } from "./appImage";
import { AppWorkload, type AppWorkloadArgs } from "./appWorkload";
import type { Edge } from "./edge";
import type { AppConfig } from "./lib/appConfig";
import type { Place } from "./lib/network";
import { type Plan, planOf } from "./lib/promotion";
import type { RegistryReader } from "./lib/registryAccess";
import { type History, type Release, releaseOf } from "./lib/releases/record";
import type { ObjectStore } from "./objectStore";
import type { PostgresService } from "./postgres/service";
import { PromotedImage } from "./promotedImage";
import type { RedisCluster } from "./redisCluster";
import type { Registry } from "./registry";
import type { SecretsPlatform } from "./secretsPlatform";
import type { Placement } from "./statusPage";

/** What the environment has for its applications, each of which takes the part that it asks for. */
export interface AppsArgs extends Pick<AppWorkloadArgs, "environment" | "spread" | "addressOf" | "podCidrs"> {
  readonly namespace: pulumi.Input<string>;
  readonly apiServers: readonly Place[];
  readonly imageOf: (name: string) => string;
  /** Where requests at the edge are counted, where they are. */
  readonly prometheus?: string;
  /** Of an application that says nothing else. */
  readonly replicas: number;
  readonly registry: Registry;
  /** The address under which this machine pushes to the registry. */
  readonly pushHost: string;
  readonly redis: RedisCluster;
  readonly postgres?: PostgresService;
  readonly objectStore?: ObjectStore;
  readonly secrets: SecretsPlatform;
  readonly edge: Edge;
  readonly builder: BuilderArgs;
  /** What becomes of each. */
  readonly plan: Plan;
  /** The way to the registries of the stages before. */
  readonly source: RegistryReader;
  /** What single ones have in place of what is usual. */
  readonly placed?: Readonly<Record<string, Placement>>;
}

/** For the stack that builds. */
export interface BuilderArgs {
  readonly dockerHost?: string;
  readonly buildCa?: string;
  readonly baseImages: Readonly<Record<string, string>>;
}

/** What applications may be built on, by the argument of their Dockerfiles: images of the lock. */
export const BASE_IMAGES = { HTTPD_IMAGE: "httpd", NODE_IMAGE: "node", PYTHON_IMAGE: "python" } as const;

export interface Apps {
  readonly workloads: Readonly<Record<string, AppWorkload>>;
  readonly endpoints: Readonly<Record<string, pulumi.Output<string>>>;
  /** What each runs: what people and the next stage read. */
  readonly releases: Readonly<Record<string, pulumi.Output<Release | undefined>>>;
  /** What each ran before, and what was rejected. */
  readonly history: Readonly<Record<string, pulumi.Output<History>>>;
  /** Under which browsers find those that have a host. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** The applications of a stack file, with their images. They stand by themselves: each is a root of the stack's tree. */
export function createApps(
  apps: Readonly<Record<string, AppConfig>>,
  args: AppsArgs,
  opts: pulumi.ComponentResourceOptions,
): Apps {
  const pullSecret = args.registry.pullSecret(args.namespace, "apps");
  const imageOf = images(apps, args, opts);
  const { apiServers, prometheus } = args;
  const made = Object.entries(apps).map(([name, app]) => {
    const image = imageOf(name, app);
    const workload = new AppWorkload(
      name,
      {
        ...app,
        ...args,
        image,
        pullSecret,
        replicas: app.autoscale ? undefined : (app.replicas ?? args.replicas),
        redis: app.redis ? args.redis : undefined,
        postgres: app.postgres ? args.postgres : undefined,
        store: app.bucket ? args.objectStore : undefined,
        load: app.bucket?.load,
        secrets: app.secrets,
        vault: args.secrets,
        switcher: app.strategy && { apiServers, prometheus, image: args.imageOf("node") },
        ...args.placed?.[name],
      },
      opts,
    );
    // What never gets ready is never recorded.
    const history = pulumi
      .all([image, workload.ready])
      .apply(([reference]) => planOf(args.plan, name).recorded(reference, new Date()));
    return { name, history, workload, url: app.host && args.edge.urlOf(app.host) + (app.path ?? "") };
  });
  return {
    workloads: Object.fromEntries(made.map(({ name, workload }) => [name, workload])),
    endpoints: Object.fromEntries(made.map(({ name, workload }) => [name, workload.endpoint])),
    releases: Object.fromEntries(
      made.map(({ name, history }) => [name, history.apply(({ good: [first] }) => first && releaseOf(first))]),
    ),
    history: Object.fromEntries(made.map(({ name, history }) => [name, history])),
    hosts: Object.fromEntries(made.flatMap(({ name, url }) => (url ? [[name, url]] : []))),
  };
}

/** Built where the stack file names a source, else brought from the stage before. */
function images(
  apps: Readonly<Record<string, AppConfig>>,
  { registry, pushHost, builder, plan, source }: AppsArgs,
  opts: pulumi.ComponentResourceOptions,
): (name: string, app: AppConfig) => pulumi.Output<string> {
  const { dockerHost: host, buildCa, baseImages } = builder;
  const context = { registry, pushHost, buildCa, baseImages };
  const builds = Object.values(apps).some((app) => app.source);
  const registryAuth = [{ address: pushHost, ...registry.push }];
  const provider = builds ? new docker.Provider("builder", { host, registryAuth }) : undefined;
  return (name, app) => {
    const { image, frozen } = planOf(plan, name);
    if (!app.source)
      return new PromotedImage(name, { from: app.from ?? "", image, registry, pushHost, source }, opts).reference;
    const { reference } = new AppImage(name, { ...context, source: app.source, frozen }, { provider });
    return image ? pulumi.output(image) : reference;
  };
}
