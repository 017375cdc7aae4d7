import { parseConfig } from "../../../components/lib/config";

export type Raw = Record<string, unknown>;

export const quota = { cpu: "8", memory: "8Gi", pods: 40 };
export const profile = { replicas: 1, spread: "soft", quota };
export const app = { source: "apps/web", port: 3000, redis: true, expose: true };
export const edge = { domain: "dev.example" };
/** A configuration without a fault. */
export const sound: Raw = { build: true, edge, profile, apps: { web: app } };

export const parse = (raw: Raw, stack = "dev"): ReturnType<typeof parseConfig> => parseConfig(stack, (key) => raw[key]);
