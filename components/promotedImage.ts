import * as pulumi from "@pulumi/pulumi";
import { PlatformComponent } from "./lib/component";
import { copyImage } from "./lib/imageCopy";
import { type ImageReference, formatReference, parseReference } from "./lib/imageReference";
import { explained } from "./lib/program";
import { noLogin } from "./lib/promotion";
import type { RegistryReader } from "./lib/registryAccess";
import { RegistryClient } from "./lib/registryClient";
import type { Registry } from "./registry";

export interface PromotedImageArgs {
  /** The stage that recorded it. */
  readonly from: string;
  /** As that stage recorded it, by digest; nothing in the preview of a stage before which none ran. */
  readonly image?: string;
  /** The environment's own registry, which gets it. */
  readonly registry: Registry;
  /** The address under which this machine pushes to that registry. */
  readonly pushHost: string;
  /** The registries of earlier stages. */
  readonly source: RegistryReader;
}

/**
 * An image that an earlier stage built, copied by digest from its registry to this environment's. Nothing is built. Every
 * update looks, and copies what is missing: an image lost with a volume comes back; an unchanged one costs one question.
 */
export class PromotedImage extends PlatformComponent {
  /** As the nodes pull it: name, tag and digest. */
  readonly reference: pulumi.Output<string>;

  constructor(name: string, args: PromotedImageArgs, opts: pulumi.ComponentResourceOptions) {
    super("PromotedImage", name, opts);
    this.reference = this.bring(args);
    this.registerOutputs({ from: args.from, reference: this.reference });
  }

  private bring({ from, image, registry, pushHost, source }: PromotedImageArgs): pulumi.Output<string> {
    if (!image) return pulumi.output(pulumi.unknown as string);
    const wanted = { ...parseReference(image), host: registry.host };
    // A preview only looks, and must not leave open what it knows.
    if (pulumi.runtime.isDryRun()) return pulumi.output(formatReference(wanted));
    const { username, password } = registry.push;
    const brought = pulumi.all([password, registry.ready.id]).apply(async ([secret]) => {
      const target = new RegistryClient(pushHost, { username, password: secret });
      await this.copy(wanted, target, () => source(from), from).catch((error: Error) => {
        throw new pulumi.RunError(explained(error));
      });
      return formatReference(wanted);
    });
    // The password opened the way; it is no part of what came of it.
    return pulumi.unsecret(brought);
  }

  private async copy(
    image: ImageReference,
    target: RegistryClient,
    source: () => Promise<RegistryClient | undefined>,
    from: string,
  ): Promise<void> {
    if ((await target.digestOf(image.repository, image.tag)) === image.digest) return;
    const reader = await source();
    if (!reader) throw new Error(noLogin(from));
    await copyImage(reader, target, image);
    await pulumi.log.info(`copied from the registry of ${from}: ${formatReference(image)}`, this);
  }
}
