/** The labels of everything the platform makes; `selector` is the part that never changes. */
export interface Identity {
  readonly environment: string;
  readonly component: string;
  readonly name: string;
}

export const selector = ({ component, name }: Identity): Record<string, string> => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/component": component,
});

/** Names the environment that an object belongs to. */
export const ENVIRONMENT_LABEL = "platform/environment";
/** Stands in that label for what belongs to the cluster. */
export const SHARED = "platform";

export const labels = (identity: Identity): Record<string, string> => ({
  ...selector(identity),
  "app.kubernetes.io/part-of": "platform",
  "app.kubernetes.io/managed-by": "pulumi",
  [ENVIRONMENT_LABEL]: identity.environment,
});
