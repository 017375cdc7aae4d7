import { applications } from "./applications";
import type { Dashboard } from "./dashboard";
import { edge } from "./edge";
import { nodes } from "./nodes";
import { objectStore } from "./objectStore";
import { overview } from "./overview";
import { postgres } from "./postgres";
import { redis } from "./redis";
import { vault } from "./vault";

/** The first is where Grafana opens. */
export const DASHBOARDS: readonly [Dashboard, ...Dashboard[]] = [
  overview,
  applications,
  edge,
  redis,
  postgres,
  objectStore,
  vault,
  nodes,
];
