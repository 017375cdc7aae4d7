import * as pulumi from "@pulumi/pulumi";
import { enforcePolicies } from "../policy/inProgram";
import { type AppsArgs, BASE_IMAGES } from "./apps";
import type { AddressOf } from "./lib/balancer";
import { type ClusterFacts, checkPin, checkServices, clusterFacts, serviceAddress } from "./lib/cluster";
import { type PlatformConfig, decoded, parseConfig } from "./lib/config";
import { applyDefinitions } from "./lib/definitions";
import { readKubeconfig } from "./lib/kubeconfig";
import { type Login, loginOf } from "./lib/login";
import { planReleases } from "./lib/promotion";
import { createProviders } from "./lib/providers";
import { registryReader } from "./lib/registryAccess";
import { ORDERS_VARIABLE, readOrders } from "./lib/releases/orders";
import type { Spread } from "./lib/spread";
import {
  type EdgeTarget,
  type RegistryAccess,
  type SecretsAccess,
  type VaultTarget,
  definitionsOf,
  edgeTarget,
  image,
  imageOrigins,
  images,
  readTarget,
  registryTarget,
  secretsTarget,
} from "./lib/target";
import { type Wanted, countedAt, wantedMonitoring } from "./monitoring/environment";
import { type WantedStatus, wantedStatus } from "./statusPage";

/** What a stack stands on. */
export interface Ground extends Pick<Login, "enter" | "promoters"> {
  readonly stack: string;
  readonly config: PlatformConfig;
  readonly wanted: Wanted;
  readonly status: WantedStatus;
  /** Whether this stack installs what the cluster has once. */
  readonly installs: boolean;
  readonly cluster: { readonly uid: string; readonly server: string };
  /** Of the platform's certificates, with its key. */
  readonly authority: SecretsAccess["authority"];
  readonly vault: VaultTarget;
  readonly registry: RegistryAccess;
  readonly edge: EdgeTarget & { readonly counted: boolean };
  /** Beginnings of the references of images that may run. */
  readonly imagesFrom: readonly string[];
  /** Where applications come from. */
  readonly supply: Pick<AppsArgs, "builder" | "pushHost" | "plan" | "source" | "prometheus">;
  /** The reference of an image of the lock, and of several. */
  readonly imageOf: (name: string) => string;
  readonly imagesOf: <K extends string>(names: Readonly<Record<K, string>>) => Record<K, string>;
  /** What most components of an environment want to know. */
  readonly here: {
    readonly environment: string;
    readonly spread: Spread;
    readonly apiServers: ClusterFacts["apiServers"];
    readonly podCidrs: ClusterFacts["podCidrs"];
    readonly authority: string;
    readonly addressOf: AddressOf;
    readonly imageOf: Ground["imageOf"];
  };
  readonly opts: { readonly providers: ReturnType<typeof createProviders> };
}

/**
 * Reads the stack's configuration, its target, its cluster, and what the stage before recorded. What can be refused is refused
 * here, before anything is written.
 */
export async function survey(): Promise<Ground> {
  const stack = pulumi.getStack();
  const settings = new pulumi.Config();
  const config = parseConfig(stack, (key) => decoded(settings.get(key)));
  const target = readTarget();
  const { kubeconfig, enter, promoters } = await loginOf(stack, config, readKubeconfig());
  const facts = await clusterFacts(kubeconfig);
  checkPin(stack, facts, target.clusterUid ?? config.clusterUid, kubeconfig.context);
  const wanted = wantedMonitoring(target, config.monitoring);
  const status = wantedStatus(stack, config, target);
  const installs = config.clusterServices === "install";
  const definitions = installs ? definitionsOf(target, wanted) : [];
  // A preview writes nothing, and may look ahead of the stack that installs them.
  if (!installs && !pulumi.runtime.isDryRun()) checkServices(stack, facts, wanted);
  const imagesFrom = imageOrigins(target, stack);
  enforcePolicies({ stack, imagesFrom });
  const source = registryReader(target, kubeconfig);
  const baseImages = images(target, BASE_IMAGES);
  const orders = readOrders(process.env[ORDERS_VARIABLE], Object.keys(status.apps));
  const promotion = { ...config.promotion, apps: status.apps, registry: source, baseImages, orders };
  const plan = await planReleases(stack, promotion);
  const apps = Object.fromEntries(Object.entries(plan).map(([app, planned]) => [app, planned.config]));
  const { counted, prometheus } = countedAt(stack, wanted, apps);
  const { authority, ...vault } = secretsTarget(target, stack);
  const registry = registryTarget(target, stack);
  const imageOf = (name: string): string => image(target, name);
  if (!pulumi.runtime.isDryRun()) await applyDefinitions(kubeconfig, definitions);
  return {
    stack,
    config,
    wanted,
    status: { ...status, apps },
    installs,
    enter,
    promoters,
    authority,
    vault,
    registry,
    edge: { ...edgeTarget(target, stack), counted },
    imagesFrom,
    supply: {
      builder: { dockerHost: target.dockerHost, buildCa: target.buildCa, baseImages },
      pushHost: registry.pushHost,
      plan,
      source,
      prometheus,
    },
    imageOf,
    imagesOf: (names) => images(target, names),
    cluster: { uid: facts.uid, server: facts.server },
    here: {
      environment: stack,
      spread: config.profile.spread,
      apiServers: facts.apiServers,
      podCidrs: config.podCidrs ?? facts.podCidrs,
      authority: authority.certificate,
      addressOf: (...service) => serviceAddress(kubeconfig, ...service),
      imageOf,
    },
    opts: { providers: createProviders(kubeconfig, facts) },
  };
}
