import { readSecret } from "./cluster";
import type { Kubeconfig } from "./kubeconfig";
import { type Login, type Patience, RegistryClient } from "./registryClient";
import type { Target } from "./target";

/** The Secret with an environment's pull-only login, in every namespace that pulls and in the registry's own. */
export const PULL_SECRET = "regcred";
const registryNamespace = (environment: string): string => `${environment}-registry`;

/** The registry of another environment, to read from; undefined where no login for it can be found. */
export type RegistryReader = (environment: string, patience?: Patience) => Promise<RegistryClient | undefined>;

/**
 * The one place that knows how this machine gets the pull-only login of another environment: from variables where its
 * registry is on another cluster, else from the cluster, with the rights of whoever deploys. The login lives as long as the
 * run, and is never an input or output of a resource, so that no stack's state holds another's password.
 */
export function registryReader(
  target: Target,
  kubeconfig: Kubeconfig,
  env: NodeJS.ProcessEnv = process.env,
): RegistryReader {
  const logins = new Map<string, Promise<Found | undefined>>();
  const look = async (environment: string): Promise<Found | undefined> => {
    const given = fromEnvironment(environment, env);
    if (given) return given;
    const secret = await readSecret(kubeconfig, registryNamespace(environment), PULL_SECRET);
    return secret && parsePullSecret(secret, `${registryNamespace(environment)}/${PULL_SECRET}`);
  };
  return async (environment, patience) => {
    const login = logins.get(environment) ?? look(environment);
    logins.set(environment, login);
    const found = await login;
    if (!found) return undefined;
    const place = target.registries[environment];
    const host = place?.pullHost ?? place?.host ?? found.host;
    if (!host)
      throw new Error(
        `nothing says where the registry of ${environment} is: name it under registries.${environment} of the target file (PLATFORM_TARGET)`,
      );
    return new RegistryClient(host, found.login, patience);
  };
}

interface Found {
  readonly login: Login;
  /** As the nodes name it. */
  readonly host?: string;
}

export const pullVariables = (environment: string): { user: string; password: string } => {
  const prefix = `PLATFORM_REGISTRY_${environment.toUpperCase().replaceAll("-", "_")}`;
  return { user: `${prefix}_USER`, password: `${prefix}_PASSWORD` };
};

function fromEnvironment(environment: string, env: NodeJS.ProcessEnv): Found | undefined {
  const { user, password } = pullVariables(environment);
  const [username = "", secret = ""] = [env[user], env[password]];
  if (!username && !secret) return undefined;
  if (!username || !secret)
    throw new Error(`${user} and ${password} belong together, and ${username ? password : user} is not set`);
  return { login: { username, password: secret } };
}

/** Reads what a kubelet reads. */
function parsePullSecret(data: Readonly<Record<string, string>>, place: string): Found {
  const text = data[".dockerconfigjson"] ?? "{}";
  const { auths = {} } = JSON.parse(text) as { auths?: Record<string, Login> };
  const [host, login] = Object.entries(auths)[0] ?? [];
  if (!login?.username || !login.password) throw new Error(`the Secret ${place} holds no user and password`);
  return { host, login: { username: login.username, password: login.password } };
}
