import { selector } from "../components/lib/labels";
import { type Check, Skip } from "./check";
import { type Pod, nameOf, serversOf } from "./pods";
import type { Stand } from "./stand";

/** As index.ts names it. */
const IDENTITY = { environment: "", component: "redis", name: "redis" };
const SLOTS = 16_384;

const servers = (stand: Stand): Promise<readonly Pod[]> => serversOf(stand, "Redis", selector(IDENTITY));

const inside = ({ metadata: { name, namespace } }: Pod, ...command: string[]): string[] => [
  "exec",
  "-n",
  namespace,
  name,
  "-c",
  "redis",
  "--",
  ...command,
];

/** What a client without a login gets, with the pod's own knowledge of authority and names. */
const ping = async (stand: Stand, pod: Pod, options: string): Promise<string> => {
  const script = `. /etc/redis/common.sh; timeout 5 redis-cli -h localhost ${options} ping`;
  return (await stand.tryKubectl(inside(pod, "sh", "-c", script))).all.trim();
};

async function closed(stand: Stand): Promise<string> {
  const pods = await servers(stand);
  await Promise.all(
    pods.map(async (pod) => {
      const answer = await ping(stand, pod, "$TLS_OPTIONS");
      if (!answer.includes("NOAUTH")) throw new Error(`${nameOf(pod)} answers a client without a login: ${answer}`);
      const open = await ping(stand, pod, "");
      if (/NOAUTH|PONG/.test(open)) throw new Error(`${nameOf(pod)} answers a client without TLS: ${open}`);
    }),
  );
  return `${pods.length} servers`;
}

/** By the login of the servers' own probe, whose password stays in the pod. */
async function info(stand: Stand, pod: Pod, ...question: string[]): Promise<Map<string, string>> {
  const script = '. /etc/redis/common.sh; as probe here "$@"';
  const text = await stand.kubectl(inside(pod, "sh", "-c", script, "sh", ...question));
  return new Map(text.split("\n").map((line) => line.trim().split(":") as [string, string]));
}

async function whole(stand: Stand): Promise<string> {
  const { mode, masters, replicas } = stand.config.redis;
  if (mode === "standalone") throw new Skip("Redis is one server here");
  const pods = await servers(stand);
  const wanted = masters * (1 + replicas);
  if (pods.length !== wanted) throw new Error(`${pods.length} servers are ready, of ${wanted}`);
  const parts = await Promise.all(
    pods.map(async (pod) => ({ pod, state: await info(stand, pod, "INFO", "replication") })),
  );
  const leading = parts.filter(({ state }) => state.get("role") === "master");
  if (leading.length !== masters) throw new Error(`${leading.length} servers are master, of ${masters}`);
  for (const { pod, state } of parts)
    if (state.get("role") !== "master" && state.get("master_link_status") !== "up")
      throw new Error(`${nameOf(pod)} does not follow its master`);
  for (const { pod, state } of leading)
    if (Number(state.get("connected_slaves")) < replicas)
      throw new Error(`${nameOf(pod)} has ${state.get("connected_slaves")} replicas, of ${replicas}`);
  if (mode === "cluster") await covers(stand, pods);
  return `${masters} masters with ${replicas} replicas each`;
}

async function covers(stand: Stand, pods: readonly Pod[]): Promise<void> {
  for (const pod of pods) {
    const state = await info(stand, pod, "CLUSTER", "INFO");
    const [is, slots] = [state.get("cluster_state"), Number(state.get("cluster_slots_ok"))];
    if (is !== "ok" || slots !== SLOTS)
      throw new Error(`${nameOf(pod)} says cluster_state:${is}, ${slots} of ${SLOTS} slots`);
  }
}

export const redisChecks: readonly Check[] = [
  { id: "000.14", title: "no server of Redis answers anybody without a login, or in the open", run: closed },
  { id: "003.11", title: "every master of Redis has its replicas, and every slot a master", run: whole },
];
