import { Faults } from "./faults";
import { bytes, cores } from "./quantities";

/** Of what an application may be told besides its image; a stack file names the same. */
export interface AppSettings {
  /** Plain settings. */
  readonly env?: Readonly<Record<string, string>>;
  /** Settings that Vault keeps: `apps/<application>#<key>` by variable. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Variables whose values are made at random once, and kept in Vault from then on. */
  readonly generate?: readonly string[];
  readonly resources?: AppResources;
  readonly autoscale?: Autoscale;
}

export interface AppResources {
  readonly requests?: Amounts;
  readonly limits?: Amounts;
}

export interface Amounts {
  readonly cpu?: string;
  readonly memory?: string;
}

/** As many replicas as keep the use of the requested CPU at `cpu` percent. */
export interface Autoscale {
  readonly min: number;
  readonly max: number;
  readonly cpu: number;
}

/** What an application gets that names nothing else. */
export const USUAL_RESOURCES = {
  requests: { cpu: "50m", memory: "96Mi" },
  limits: { cpu: "1", memory: "256Mi" },
} as const;

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const KEY = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Where in Vault's key-value store an application's own settings are. */
export const vaultPathOf = (app: string): string => `apps/${app}`;
/** Where what the platform made for an application is: each by itself, as one more must not change the others. */
export const generatedPathOf = (app: string, variable: string): string => `generated/${app}/${variable}`;

/** The key at the application's own path; undefined where the text names anything else. */
export function secretKey(app: string, text: unknown): string | undefined {
  const [path, key = "", ...rest] = typeof text === "string" ? text.split("#") : [];
  return path === vaultPathOf(app) && KEY.test(key) && rest.length === 0 ? key : undefined;
}

/** The resources with the usual ones where nothing is said. */
export function resourcesOf({ requests, limits }: AppResources = {}): {
  requests: Required<Amounts>;
  limits: Required<Amounts>;
} {
  return {
    requests: { ...USUAL_RESOURCES.requests, ...requests },
    limits: { ...USUAL_RESOURCES.limits, ...limits },
  };
}

/** Notes what is wrong with an application's settings, whoever gave them. */
export function checkAppSettings(app: string, place: string, settings: AppSettings, faults: Faults): void {
  const { env = {}, secrets = {}, generate = [], resources, autoscale } = settings;
  for (const variable of [...Object.keys(env), ...Object.keys(secrets), ...generate])
    if (!VARIABLE.test(variable))
      faults.add(place, variable, "the name of a variable: letters, digits and underscores");
  for (const variable of Object.keys(secrets)) {
    if (!secretKey(app, secrets[variable]))
      faults.add(
        `${place}.secrets.${variable}`,
        secrets[variable],
        `a key at the application's path: "${vaultPathOf(app)}#key"`,
      );
    if (variable in env) faults.add(`${place}.env.${variable}`, env[variable], "nothing, as a secret has that name");
  }
  const taken = new Set([...Object.keys(env), ...Object.keys(secrets)]);
  for (const variable of Object.values(secrets)) taken.add(secretKey(app, variable) ?? "");
  for (const [index, variable] of generate.entries())
    if (taken.has(variable) || generate.indexOf(variable) < index)
      faults.add(`${place}.generate`, variable, "a variable that is nowhere else in this entry");
  const { requests, limits } = resourcesOf(resources);
  if ((cores(requests.cpu) ?? 0) > (cores(limits.cpu) ?? Infinity))
    faults.add(`${place}.resources.requests.cpu`, requests.cpu, `no more than the limit of ${limits.cpu}`);
  if ((bytes(requests.memory) ?? 0) > (bytes(limits.memory) ?? Infinity))
    faults.add(`${place}.resources.requests.memory`, requests.memory, `no more than the limit of ${limits.memory}`);
  if (autoscale && autoscale.min > autoscale.max)
    faults.add(`${place}.autoscale.min`, autoscale.min, `no more than the max of ${autoscale.max}`);
}
