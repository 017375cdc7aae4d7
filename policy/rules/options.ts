/** Minor versions of Kubernetes 1.x whose Pod Security checks are known. */
export const VERSIONS = { oldest: 29, newest: 37 } as const;

export const PROFILES = ["privileged", "baseline", "restricted"] as const;
export type Profile = (typeof PROFILES)[number];

/** What an environment sets beside the levels. */
export interface Options {
  readonly podSecurity: { readonly level: Profile; readonly version: number };
  /** Beginnings of image references that may run; none given, the origin is not judged. */
  readonly imagesFrom: readonly string[];
  /** How many times its request a limit may be. */
  readonly ratio: { readonly cpu: number; readonly memory: number };
  /** Whether what is judged is everything there will be, so that what is not in it does not exist. */
  readonly complete: boolean;
}

export const DEFAULT_OPTIONS: Options = {
  podSecurity: { level: "restricted", version: VERSIONS.newest },
  imagesFrom: [],
  ratio: { cpu: 50, memory: 8 },
  complete: true,
};

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isFactor = (value: unknown): boolean => typeof value === "number" && value >= 1;

/** "latest", or "1.34" with or without its v. */
export function minorVersion(version: unknown): number | undefined {
  if (version === "latest") return VERSIONS.newest;
  const minor = typeof version === "string" ? Number(/^v?1\.(\d+)$/.exec(version)?.[1]) : NaN;
  return minor >= VERSIONS.oldest && minor <= VERSIONS.newest ? minor : undefined;
}

interface Field {
  readonly fits: (value: unknown) => boolean;
  readonly allowed: string;
}

const FACTOR: Field = { fits: isFactor, allowed: "a number, 1 or more" };
const FIELDS: Readonly<Record<string, Field | Readonly<Record<string, Field>>>> = {
  podSecurity: {
    level: { fits: (value) => PROFILES.includes(value as Profile), allowed: `one of ${PROFILES.join(", ")}` },
    version: {
      fits: (value) => minorVersion(value) !== undefined,
      allowed: `"latest", or "1.${VERSIONS.oldest}" to "1.${VERSIONS.newest}"`,
    },
  },
  imagesFrom: {
    fits: (value) => Array.isArray(value) && value.every((each) => typeof each === "string" && each !== ""),
    allowed: "a list of beginnings of image references",
  },
  ratio: { cpu: FACTOR, memory: FACTOR },
};

const isField = (field: object): field is Field => "fits" in field;

/** Each begins with the path of the option: `.ratio.cpu: found …`. */
export function optionFaults(found: unknown, fields: object = FIELDS, path = ""): string[] {
  if (found === undefined) return [];
  const names = Object.keys(fields);
  if (!isObject(found))
    return [`${path}: found ${JSON.stringify(found)}, allowed is an object with ${names.join(", ")}`];
  return Object.entries(found).flatMap(([key, value]) => {
    const field = (fields as Readonly<Record<string, Field | object>>)[key];
    if (field === undefined) return [`${path}: found "${key}", allowed is ${names.join(", ")}`];
    if (!isField(field)) return optionFaults(value, field, `${path}.${key}`);
    return field.fits(value) ? [] : [`${path}.${key}: found ${JSON.stringify(value)}, allowed is ${field.allowed}`];
  });
}

/** What has no faults, with what is left out filled in. */
export function readOptions(found: unknown): Options {
  const given = (isObject(found) ? found : {}) as {
    podSecurity?: { level?: Profile; version?: string };
    imagesFrom?: string[];
    ratio?: Partial<Options["ratio"]>;
  };
  const { level, version } = given.podSecurity ?? {};
  return {
    ...DEFAULT_OPTIONS,
    podSecurity: {
      level: level ?? DEFAULT_OPTIONS.podSecurity.level,
      version: minorVersion(version) ?? DEFAULT_OPTIONS.podSecurity.version,
    },
    imagesFrom: given.imagesFrom ?? DEFAULT_OPTIONS.imagesFrom,
    ratio: { ...DEFAULT_OPTIONS.ratio, ...given.ratio },
  };
}
