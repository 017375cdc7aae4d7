import { accessChecks } from "./access";
import { applicationChecks } from "./applications";
import type { Check } from "./check";
import { deployerChecks } from "./deployer";
import { namespaceChecks } from "./namespaces";
import { networkChecks } from "./network";
import { objectStoreChecks } from "./objectStore";
import { postgresChecks } from "./postgres";
import { programChecks } from "./program";
import { redisChecks } from "./redis";
import { registryChecks } from "./registry";
import { secretChecks } from "./secrets";
import { statusChecks } from "./status";
import { workloadChecks } from "./workloads";

/** Everything that can be seen of a running stack without disturbing it, the longest first. */
export const CHECKS: readonly Check[] = [
  ...programChecks,
  ...networkChecks,
  ...applicationChecks,
  ...statusChecks,
  ...workloadChecks,
  ...namespaceChecks,
  ...registryChecks,
  ...redisChecks,
  ...postgresChecks,
  ...objectStoreChecks,
  ...secretChecks,
  ...accessChecks,
  ...deployerChecks,
];
