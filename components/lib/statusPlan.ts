import type { PlatformConfig } from "./config";
import { isText } from "./configReader";
import { Faults } from "./faults";
import { type StackFiles, fieldsOf } from "./stackFiles";
import { isEnvironmentList } from "./statusConfig";

/** The page takes no more. */
const MOST = 200;

export interface Endpoint {
  readonly environment: string;
  readonly name: string;
  /** Below the environment's domain. */
  readonly hostname: string;
  /** What of the host is the application's, where that is not all. */
  readonly path?: string;
}

/** Who watches whom, as the stack files say. */
export interface StatusPlan {
  /** What this stack's page asks; nothing where it has none. */
  readonly endpoints: readonly Endpoint[];
  /** The stacks whose pages ask this one. */
  readonly watchers: readonly string[];
}

type Own = Pick<PlatformConfig, "status" | "edge"> & {
  readonly apps: Readonly<Record<string, { readonly host?: string; readonly path?: string }>>;
};

/** Of this stack, what its configuration says; of the others, what their files do. */
export function statusPlan(stack: string, own: Own, files: StackFiles): StatusPlan {
  const faults = new Faults();
  const all: StackFiles = { ...files, [stack]: { edge: own.edge, apps: own.apps, status: own.status } };
  const endpoints = (own.status?.environments ?? []).flatMap((each) => endpointsOf(each, all, faults));
  if (endpoints.length > MOST)
    faults.add(
      "platform:status.environments",
      own.status?.environments,
      `stacks with up to ${MOST} applications that have a host, not ${endpoints.length}`,
    );
  faults.throwIfAny(
    `the status page of stack "${stack}" does not know whom to watch, and nothing was done`,
    `Mend platform:status in Pulumi.${stack}.yaml, or the file that it leads to.`,
  );
  const watches = (watcher: string): boolean => {
    const { environments } = fieldsOf(all[watcher]?.status);
    return isEnvironmentList(environments) && environments.includes(stack);
  };
  return { endpoints, watchers: Object.keys(all).filter(watches).sort() };
}

function endpointsOf(environment: string, files: StackFiles, faults: Faults): Endpoint[] {
  const file = files[environment];
  const { domain } = fieldsOf(file?.edge);
  if (!file || !isText(domain)) {
    const allowed = file
      ? `a stack whose file says the domain of its platform:edge`
      : `one of the stacks with a file: ${Object.keys(files).sort().join(", ")}`;
    faults.add("platform:status.environments", environment, allowed);
    return [];
  }
  return Object.entries(fieldsOf(file.apps)).flatMap(([name, app]) => {
    const { host, path } = fieldsOf(app);
    if (!isText(host)) return [];
    return [{ environment, name, hostname: `${host}.${domain}`, ...(isText(path) ? { path } : {}) }];
  });
}
