import * as pulumi from "@pulumi/pulumi";

/** What an earlier stage recorded about an application: never a secret. */
export interface Release {
  readonly image: string;
}

/**
 * The image that the stack `from` recorded for an application. In a preview an earlier stage that never ran leaves it open;
 * an update refuses, and so it does where the image lies in another registry than `host`, this environment's own.
 */
export function recordedImage(app: string, from: string, host: string): pulumi.Output<string> {
  const project = pulumi.getProject();
  const reference = new pulumi.StackReference(`${app}-from-${from}`, { name: `organization/${project}/${from}` });
  return reference.getOutput("releases").apply((releases: Record<string, Release> | undefined) => {
    const image = releases?.[app]?.image;
    if (image && (pulumi.runtime.isDryRun() || image.startsWith(`${host}/`))) return pulumi.output(image);
    if (image)
      throw new Error(
        `stack ${from} recorded ${image}, which the nodes of this environment cannot pull: they log in to ${host} only, ` +
          `and copying an image between the environments' registries is not there yet`,
      );
    if (pulumi.runtime.isDryRun()) return pulumi.output(pulumi.unknown as string);
    throw new Error(`stack ${from} has recorded no image of "${app}": run pulumi up -s ${from} first`);
  });
}
