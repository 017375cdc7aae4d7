import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { AppImage } from "./appImage";
import type { AppConfig } from "./lib/config";
import { parseReference } from "./lib/imageReference";
import type { RegistryReader } from "./lib/registryAccess";
import { type Target, image, registryTarget } from "./lib/target";
import { PromotedImage } from "./promotedImage";
import type { Registry } from "./registry";

export interface AppImagesArgs {
  readonly environment: string;
  readonly target: Target;
  readonly registry: Registry;
  /** The registries of earlier stages, and what those recorded. */
  readonly source: RegistryReader;
  readonly recorded: Readonly<Record<string, string>>;
}

/** What an application runs: what the next stage and people read of it. */
export interface Release {
  readonly image: pulumi.Output<string>;
  readonly tag: pulumi.Output<string>;
  readonly digest: pulumi.Output<string>;
}

/** Brings each application's image: built where the stack has its source, else taken from the stage before. */
export function appImages(
  { environment, target, registry, source, recorded }: AppImagesArgs,
  opts: pulumi.ComponentResourceOptions,
): (name: string, app: AppConfig) => Release {
  const { pushHost } = registryTarget(target, environment);
  let builder: docker.Provider | undefined;
  const build = (name: string, context: string): AppImage => {
    const registryAuth = [{ address: pushHost, ...registry.push }];
    builder ??= new docker.Provider("builder", { host: target.dockerHost, registryAuth });
    const args = { source: context, registry, pushHost, buildArgs: { NODE_IMAGE: image(target, "node") } };
    return new AppImage(name, { ...args, buildCa: target.buildCa }, { provider: builder });
  };
  return (name, app) => {
    const promoted = { from: app.from ?? "", image: recorded[name], registry, pushHost, source };
    const { reference } = app.source ? build(name, app.source) : new PromotedImage(name, promoted, opts);
    const { tag, digest } = reference.apply(parseReference);
    return { image: reference, tag, digest };
  };
}
