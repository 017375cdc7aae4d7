import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { imageLock, upstreamReference } from "../../toolchain/images/lock";
import { MONITORING_GROUP, type WantedServices } from "./cluster";
import { Faults } from "./faults";

/**
 * Where a stack goes, and where its images come from: what differs between a sandbox, a kind cluster and a cluster of the
 * user's. `npm run up` and `npm run env` write it and name it in PLATFORM_TARGET; without it, KUBECONFIG and the stack's
 * configuration decide, and images are the official ones.
 */
export interface Target {
  /** For people: "sandbox platform". */
  readonly description: string;
  /** The only cluster that the stacks of this target may touch, by the UID of its kube-system namespace. */
  readonly clusterUid?: string;
  /** Images by name, with digest. */
  readonly images: Readonly<Record<string, string>>;
  /** The Docker daemon that builds. */
  readonly dockerHost?: string;
  /** Certificate authorities for what builds download. */
  readonly buildCa?: string;
  /** By environment. */
  readonly registries: Readonly<Record<string, RegistryTarget>>;
  /** How this machine reaches each environment's Vault. */
  readonly vaults?: Readonly<Record<string, VaultTarget>>;
  /** Where each environment's edge answers, where that is not any address, on 80 and 443. */
  readonly edges?: Readonly<Record<string, EdgeTarget>>;
  /** Files of the authority that signs the platform's certificates. */
  readonly authority?: { readonly certificateFile: string; readonly keyFile: string };
  /** Files with the definitions of the custom resources that the platform's controllers serve. */
  readonly definitions?: readonly string[];
}

export interface VaultTarget {
  readonly url: string;
  /** The load balancer's address, where one is promised. */
  readonly address?: string;
}

export interface EdgeTarget {
  /** The load balancer's address, where one is promised. */
  readonly address?: string;
  readonly ports?: { readonly http: number; readonly https: number };
}

export interface RegistryTarget {
  /** Under which nodes pull. */
  readonly host: string;
  /** Under which this machine reads, where that is not `host`. */
  readonly pullHost?: string;
  /** Under which this machine pushes. */
  readonly pushHost: string;
  readonly address?: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** As their makers publish them, for machines that reach their registries. */
export const officialImages = (): Record<string, string> =>
  Object.fromEntries(Object.keys(imageLock).map((name) => [name, upstreamReference(name)]));

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

export function readTarget(env: NodeJS.ProcessEnv = process.env): Target {
  const file = env.PLATFORM_TARGET;
  if (!file)
    return {
      description: "the cluster of your kubeconfig",
      images: officialImages(),
      registries: {},
      dockerHost: env.DOCKER_HOST,
    };
  let parsed: Partial<Target>;
  try {
    parsed = (JSON.parse(fs.readFileSync(file, "utf8")) ?? {}) as Partial<Target>;
  } catch (error) {
    throw new Error(
      `PLATFORM_TARGET names ${file}, which cannot be read (${(error as Error).message}): run npm run up, then eval "$(npm run -s env)"`,
    );
  }
  const faults = new Faults();
  if (typeof parsed.description !== "string") faults.add("description", parsed.description, "a text");
  if (!isObject(parsed.images)) faults.add("images", parsed.images, "an object of image references");
  if (!isObject(parsed.registries)) faults.add("registries", parsed.registries, "an object by environment");
  faults.throwIfAny(`the target file ${file} is not usable`, "Write it anew with npm run up.");
  return parsed as Target;
}

/** The reference under which the cluster's nodes find an image of the lock. */
export function image(target: Target, name: string): string {
  const reference = target.images[name];
  if (!reference)
    throw new Error(`no image "${name}" for ${target.description}: it has ${Object.keys(target.images).join(", ")}`);
  return reference;
}

/** Beginnings of the references that may run: repositories of the lock as this target has them, and the environment's registry. */
export const imageOrigins = (target: Target, environment: string): string[] => {
  const registry = target.registries[environment]?.host;
  const repositories = Object.values(target.images).map((reference) => reference.replace(/(?::[^:/@]+)?(?:@.*)?$/, ""));
  return [...new Set(repositories)]
    .flatMap((each) => [`${each}:`, `${each}@`])
    .concat(registry ? [`${registry}/`] : []);
};

/**
 * An image that not every target has. `wanted`, which a key of the configuration says, insists on it or does without; where it
 * says nothing, what is there decides.
 */
export function optionalImage(
  target: Target,
  name: string,
  { key, wanted }: { readonly key: string; readonly wanted: boolean | undefined },
): string | undefined {
  if (wanted === false) return undefined;
  const reference = target.images[name];
  if (reference || !wanted) return reference;
  throw new Error(
    `${key} is true, but ${target.description} has no image "${name}", which is not built here: it comes from ${upstreamReference(name)}. ` +
      `Leave ${key} out to have it where it can be had, or bring the stack to a cluster that pulls from there. Nothing was written.`,
  );
}

/** Several, each under the name by which a component knows it. */
export const images = <K extends string>(target: Target, names: Readonly<Record<K, string>>): Record<K, string> =>
  Object.fromEntries(Object.entries<string>(names).map(([key, name]) => [key, image(target, name)])) as Record<
    K,
    string
  >;

/** Host and certificate of the environment's registry; the certificate's files are read here. */
export function registryTarget(target: Target, environment: string): RegistryAccess {
  const found = target.registries[environment];
  if (!found) {
    throw new Error(
      `the nodes of ${target.description} trust no registry for "${environment}" yet: they can only pull from a host whose certificate ` +
        `they trust. Name it, with its certificate and key, under registries.${environment} of the target file (PLATFORM_TARGET).`,
    );
  }
  const { host, pushHost, address, certificateFile, keyFile } = found;
  return {
    host,
    pushHost,
    address,
    certificate: fs.readFileSync(certificateFile, "utf8"),
    key: pulumi.secret(fs.readFileSync(keyFile, "utf8")),
  };
}

export interface RegistryAccess {
  readonly host: string;
  readonly pushHost: string;
  readonly address?: string;
  readonly certificate: string;
  readonly key: pulumi.Output<string>;
}

/** How Vault is reached from here, and the authority that its certificate comes from. */
export function secretsTarget(target: Target, environment: string): SecretsAccess {
  const vault = target.vaults?.[environment];
  if (!vault || !target.authority)
    throw new Error(
      `${target.description} has no way to the Vault of "${environment}" yet. Name its url under vaults.${environment} of the target file ` +
        `(PLATFORM_TARGET), and the certificateFile and keyFile of the authority that signs the platform's certificates under authority.`,
    );
  const { certificateFile, keyFile } = target.authority;
  return {
    ...vault,
    authority: {
      certificate: fs.readFileSync(certificateFile, "utf8"),
      key: pulumi.secret(fs.readFileSync(keyFile, "utf8")),
    },
  };
}

export interface SecretsAccess extends VaultTarget {
  readonly authority: { readonly certificate: string; readonly key: pulumi.Output<string> };
}

export const edgeTarget = ({ edges }: Target, environment: string): EdgeTarget => edges?.[environment] ?? {};

/** The files of the definitions that a stack installs for the whole cluster: those of what it wants. */
export function definitionsOf({ definitions, description }: Target, { monitoring }: WantedServices): string[] {
  const isWanted = (file: string): boolean => monitoring || groupOf(file) !== MONITORING_GROUP;
  if (definitions?.length) return definitions.filter(isWanted);
  throw new Error(
    `${description} has no files with the definitions of cert-manager, External Secrets and the Gateway API: name them under definitions of the target file ` +
      `(PLATFORM_TARGET), or set platform:clusterServices to use where the cluster has all already. Nothing was written.`,
  );
}

const groupOf = (file: string): string | undefined =>
  (JSON.parse(fs.readFileSync(file, "utf8")) as { spec?: { group?: string } }).spec?.group;
