import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type RedisMode, redisConf, sentinelUserTemplate, userTemplate } from "./settings";

const SCRIPTS: Readonly<Record<RedisMode, readonly string[]>> = {
  standalone: ["common.sh", "passwords.sh", "probe.sh", "redis.sh"],
  sentinel: ["common.sh", "keeper.sh", "passwords.sh", "probe.sh", "redis.sh", "sentinel.sh", "stop.sh"],
  cluster: ["common.sh", "keeper.sh", "passwords.sh", "plan.awk", "probe.sh", "redis.sh", "resize.sh", "stop.sh"],
};

/**
 * What the pods find in /etc/redis. The number of masters is not in it: a change of it would restart all pods while they
 * come and go.
 */
export const filesOf = (mode: RedisMode, memory: string, replicas: number): Record<string, string> => ({
  "redis.conf": redisConf(mode, memory, replicas),
  "users.acl": userTemplate(mode),
  ...(mode === "sentinel" ? { "sentinel-users.acl": sentinelUserTemplate() } : {}),
  ...Object.fromEntries(SCRIPTS[mode].map((file) => [file, readFileSync(join(__dirname, file), "utf8")])),
});
