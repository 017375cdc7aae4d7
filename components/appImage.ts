import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { argumentsOf, hashContext } from "./lib/buildContext";
import { PlatformComponent } from "./lib/component";
import type { Registry } from "./registry";

export interface AppImageArgs {
  /** The folder with the Dockerfile. */
  readonly source: string;
  readonly registry: Registry;
  /** The address under which this machine reaches the registry. */
  readonly pushHost: string;
  /** By argument, of which a Dockerfile takes those that it asks for. @example { NODE_IMAGE: "…@sha256:…" } */
  readonly baseImages: Readonly<Record<string, string>>;
  /** A file of certificate authorities that the build's downloads are verified against, where the network asks for it. */
  readonly buildCa?: string;
}

/**
 * An application's image, built by Docker and pushed to the environment's registry. What .dockerignore leaves of the source
 * decides: as long as that is the same, nothing is built, on whatever machine and with however empty a Docker.
 */
export class AppImage extends PlatformComponent {
  /** As the nodes pull it: name, tag and digest. */
  readonly reference: pulumi.Output<string>;

  constructor(name: string, args: AppImageArgs, opts: pulumi.ComponentResourceOptions) {
    super("AppImage", name, opts);
    const buildArgs = argumentsOf(args.source, args.baseImages);
    const tag = hashContext(args.source, buildArgs).slice(0, 12);
    const pushed = `${args.pushHost}/${name}:${tag}`;
    // Another tag is another image, and the old one stays: by itself the engine would take it away first, and with it whatever
    // ignores changes of what it runs.
    const own = { ...this.own, deleteBeforeReplace: false };
    const built = new docker.RemoteImage(
      this.child("build"),
      {
        name: pushed,
        keepLocally: true,
        build: {
          context: args.source,
          target: "runner",
          buildArgs,
          // Builds fetch packages, and the builder has no network of its own.
          networkMode: "host",
          secrets: args.buildCa ? [{ id: "ca", src: args.buildCa }] : [],
        },
        triggers: { source: tag },
      },
      own,
    );
    const registryImage = new docker.RegistryImage(
      this.child("push"),
      { name: built.name, keepRemotely: true, triggers: { source: tag } },
      { ...own, dependsOn: [args.registry.ready] },
    );
    this.reference = pulumi.interpolate`${args.registry.host}/${name}:${tag}@${registryImage.sha256Digest}`;
    this.registerOutputs({ reference: this.reference });
  }
}
