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

export const labels = (identity: Identity): Record<string, string> => ({
  ...selector(identity),
  "app.kubernetes.io/part-of": "platform",
  "app.kubernetes.io/managed-by": "pulumi",
  "platform/environment": identity.environment,
});
