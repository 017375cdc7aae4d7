import type { Stand } from "../../checks/stand";
import type { Place } from "./credentials";
import { type Pod, podsOf } from "./objects";

/** A server, asked from inside its pod; a password goes there by the standard input. */
export interface Door {
  readonly pod: Pod;
  accepts(password: string): Promise<boolean>;
  /** Has the server do at once what it would do by itself in a while; fails where it cannot. */
  now(what: Step): Promise<void>;
}

/** `take` another password, `use` it towards other servers, `retire` the former one. */
export type Step = "take" | "use" | "retire";

/** Every server that has a door for this credential. */
export async function doorsTo(stand: Stand, at: Place): Promise<Door[]> {
  const { namespaces } = await stand.outputs();
  const pods = await podsOf(stand, namespaces.data ?? "", `app.kubernetes.io/name=${at.kind}`);
  const running = pods.filter(({ metadata }) => !metadata.deletionTimestamp);
  if (running.length === 0) throw new Error(`no server of ${at.kind} runs in ${namespaces.data}`);
  return running.flatMap((pod) =>
    at.kind === "redis" ? redisDoors(stand, pod, at.user) : [postgresDoor(stand, pod, at)],
  );
}

const OF_SENTINELS = ["app", "keeper", "sentinel"];

const redisDoors = (stand: Stand, pod: Pod, user: string): Door[] =>
  pod.spec.containers
    .map(({ name }) => name)
    .filter((name) => name === "redis" || (name === "sentinel" && OF_SENTINELS.includes(user)))
    .map((server) => {
      const script = ["sh", "/etc/redis/passwords.sh", server];
      return {
        pod,
        accepts: (password) => saysYes(stand, pod, server, [...script, "accepts", user], password),
        now: async (what) => void (await inside(stand, pod, server, [...script, "now", what])),
      };
    });

function postgresDoor(stand: Stand, pod: Pod, { role, database }: { role: string; database: string }): Door {
  const script = ["sh", "/etc/postgres/keeper.sh"];
  return {
    pod,
    accepts: (password) => saysYes(stand, pod, "keeper", [...script, "accepts", role, database], password),
    // One password at a time: the new one takes the place of the former.
    now: async (what) => void (what === "take" && (await inside(stand, pod, "keeper", [...script, "now"]))),
  };
}

async function saysYes(
  stand: Stand,
  pod: Pod,
  container: string,
  command: readonly string[],
  password: string,
): Promise<boolean> {
  const said = await inside(stand, pod, container, command, password);
  if (said === "yes" || said === "no") return said === "yes";
  throw new Error(`${pod.metadata.name}: neither yes nor no to a password`);
}

async function inside(
  stand: Stand,
  { metadata }: Pod,
  container: string,
  command: readonly string[],
  input = "",
): Promise<string> {
  const at = ["exec", "-i", "-n", metadata.namespace, metadata.name, "-c", container, "--"];
  const { code, out, all } = await stand.tryKubectl([...at, ...command], { input });
  if (code !== 0) throw new Error(`${metadata.name}, ${container}: ${all.trim()}`);
  return out.trim();
}
