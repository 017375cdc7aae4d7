import * as pulumi from "@pulumi/pulumi";

/** What an earlier stage recorded about an application: never a secret. */
export interface Release {
  readonly image: string;
}

/**
 * The image that the stack `from` recorded for an application. In a preview an earlier stage that never ran leaves it open;
 * an update refuses.
 */
export function recordedImage(app: string, from: string): pulumi.Output<string> {
  const project = pulumi.getProject();
  const reference = new pulumi.StackReference(`${app}-from-${from}`, { name: `organization/${project}/${from}` });
  return reference.getOutput("releases").apply((releases: Record<string, Release> | undefined) => {
    const image = releases?.[app]?.image;
    if (image) return pulumi.output(image);
    if (pulumi.runtime.isDryRun()) return pulumi.output(pulumi.unknown as string);
    throw new Error(`stack ${from} has recorded no image of "${app}": run pulumi up -s ${from} first`);
  });
}
