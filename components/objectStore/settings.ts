export const MODES = ["standalone", "distributed"] as const;
export type ObjectStoreMode = (typeof MODES)[number];

/** In the lock, by what a processor knows at least (x86-64-v1 or v2): upstream's usual image ends at once on one that knows less. */
export const IMAGES = { v1: "minio-cpuv1", v2: "minio" } as const;
export const PROCESSORS = ["v2", "v1"] as const;

/** For clients, who need a certificate. */
export const PORT = 9000;
/** Of the servers themselves: inside the pod, and between those of one store. */
export const SERVER_PORT = 9001;
/** Whether it lives, whether it serves, and its metrics; nothing else. */
export const INSIDE_PORT = 9002;
export const KEEPER_PORT = 9003;

export const METRICS_PATH = "/minio/metrics/v3";

interface Range {
  readonly least: number;
  readonly most: number;
  readonly usual: number;
}

/**
 * How many servers, with a drive each. Three go on without any one of them. Four go on reading without any two, and writing
 * without any one; on three nodes they do not survive the loss of the one that has two of them. Sixteen are as many as share an object.
 */
export const SERVERS: Readonly<Record<ObjectStoreMode, Range>> = {
  standalone: { least: 1, most: 1, usual: 1 },
  distributed: { least: 3, most: 16, usual: 3 },
};

export const LEAST_MEMORY = "384Mi";

/** Who may do everything. */
export const ADMINISTRATOR = "administrator";

export const ACCESSES = ["read", "write"] as const;
export type Access = (typeof ACCESSES)[number];

/** What an application has here. */
export interface AppBucket {
  readonly name: string;
  readonly access: Access;
  /** A command of the application's image that puts something into the bucket before the application starts. */
  readonly load?: readonly string[];
}

/** Somebody with a key. */
export interface StoreUser {
  readonly name: string;
  readonly bucket: string;
  readonly access: Access | "load";
}

const OBJECTS: Readonly<Record<StoreUser["access"], readonly string[]>> = {
  read: ["s3:GetObject"],
  write: [
    ...["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
    ...["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
  ],
  load: ["s3:GetObject", "s3:PutObject"],
};

/** What a user may do: in one bucket, and there no more than its work takes. */
export function policyOf({ bucket, access }: StoreUser): object {
  const allow = (actions: readonly string[], resource: string): object => ({
    Effect: "Allow",
    Action: actions,
    Resource: [`arn:aws:s3:::${resource}`],
  });
  const objects = allow(OBJECTS[access], `${bucket}/*`);
  const whole = allow(["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"], bucket);
  return { Version: "2012-10-17", Statement: access === "write" ? [objects, whole] : [objects] };
}

export const userOf = (app: string): string => `app-${app}`;
export const loaderOf = (app: string): string => `load-${app}`;
/** The names of users that the platform makes, and takes away again. */
export const OWN_USERS = "^(app|load)-";

/** The users of the applications, and of those that put something into their buckets. */
export const usersOf = (buckets: Readonly<Record<string, AppBucket>>): StoreUser[] =>
  Object.entries(buckets).flatMap(([app, { name: bucket, access, load }]) => [
    { name: userOf(app), bucket, access },
    ...(load ? [{ name: loaderOf(app), bucket, access: "load" as const }] : []),
  ]);

export const bucketsOf = (buckets: Readonly<Record<string, AppBucket>>): string[] => [
  ...new Set(Object.values(buckets).map(({ name }) => name)),
];
