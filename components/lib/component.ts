import * as pulumi from "@pulumi/pulumi";

/** The base of the platform's components: every child is named after its parent and the role it plays. */
export abstract class PlatformComponent extends pulumi.ComponentResource {
  constructor(
    kind: string,
    protected readonly ownName: string,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super(`platform:index:${kind}`, ownName, {}, opts);
  }

  protected child(role: string): string {
    return `${this.ownName}-${role}`;
  }

  protected get own(): pulumi.CustomResourceOptions {
    return { parent: this };
  }
}
