import type { AppWorkloadArgs } from "./appWorkload";
import { DATA } from "./appWorkload/deployment";
import { edgeOf } from "./edge/place";
import { STATUS_HOST } from "./edge/route";
import type { Environment } from "./environment";
import type { AppConfig } from "./lib/appConfig";
import type { WatchingConcern } from "./lib/concerns";
import type { PlatformConfig } from "./lib/config";
import { readStackFiles } from "./lib/stackFiles";
import { STATUS_COMPONENT, STATUS_PAGE } from "./lib/statusConfig";
import { type Endpoint, statusPlan } from "./lib/statusPlan";
import { type Target, edgeTarget } from "./lib/target";
import type { Registry } from "./registry";

const PORT = 3000;
/** Far more than the history takes, and the least that some clouds give. */
const STORAGE = "1Gi";
/** Every application says there whether it can serve; one that has only a path of a host, below that path. */
const READINESS = "/readyz";

/** What the page takes beside what its entry among the applications says. */
export type Placement = Pick<AppWorkloadArgs, "namespace" | "component" | "pullSecret" | "reaches" | "storage" | "env">;

export interface WantedStatus {
  /** The namespace that it takes. */
  readonly concerns: readonly WatchingConcern[];
  /** The stack's applications, the page among them where there is one. */
  readonly apps: Readonly<Record<string, AppConfig>>;
  /** The stacks whose pages ask this one's edge. */
  readonly watchers: readonly string[];
  readonly place: (home: Environment, registry: Registry, authority: string) => Placements;
}

type Placements = Readonly<Record<string, Placement>>;

/**
 * The status page: one more application, in a namespace of its own, that asks the applications of every environment it is told of
 * by their hosts, through their edges. What it asks is not configured: it follows from the stack files. Costs a pod and a volume.
 */
export function wantedStatus(stack: string, config: PlatformConfig, target: Target): WantedStatus {
  const { status, apps } = config;
  const { endpoints, watchers } = statusPlan(stack, config, readStackFiles());
  if (!status) return { concerns: [], apps, watchers, place: () => ({}) };
  const { source, from, seconds } = status;
  const plain = { redis: false, expose: false, metrics: true, replicas: 1 };
  const page: AppConfig = { ...plain, source, from, port: PORT, host: STATUS_HOST };
  const place = (home: Environment, registry: Registry, authority: string): Placements => {
    const namespace = home.namespace("status");
    const env = {
      STATUS_ENDPOINTS: JSON.stringify(endpoints.map((each) => asked(each, target))),
      STATUS_INTERVAL: String(seconds),
      STATUS_FILE: `${DATA}/history.json`,
      STATUS_CA: authority,
    };
    const reaches = status.environments.map(edgeOf);
    return {
      [STATUS_PAGE]: {
        namespace,
        component: STATUS_COMPONENT,
        pullSecret: registry.pullSecret(namespace, "status"),
        reaches,
        storage: STORAGE,
        env,
      },
    };
  };
  return { concerns: ["status"], apps: { ...apps, [STATUS_PAGE]: page }, watchers, place };
}

/** By the name that visitors use, at the edge's Service: what they see is seen, whatever the names' servers outside do. */
function asked({ environment, name, hostname, path = "" }: Endpoint, target: Target): object {
  const port = edgeTarget(target, environment).ports?.https ?? 443;
  const url = `https://${hostname}${port === 443 ? "" : `:${port}`}${path}${READINESS}`;
  // The dot ends the name: no search list is gone through.
  return { environment, name, url, connect: `${edgeOf(environment).service}.:${port}` };
}
