/** What a switch decides, and on what; nothing here asks anybody. */
const COLOURS = ["blue", "green"];
export const otherThan = (colour) => (colour === "blue" ? "green" : "blue");

/**
 * Which colour takes the release, and which serves until it has. One that serves already stays; without one that serves, there is
 * nothing to compare with.
 */
export function planOf(release, live, held) {
  if (!COLOURS.includes(live)) return { target: "blue", stays: false };
  if (held[live] === release) return { target: live, stays: true };
  return { target: otherThan(live), old: live, stays: false };
}

/** Percentages for the target, one after the other. */
export const sharesOf = ({ type, steps }, old) => (old && type === "canary" ? [...steps, 100] : [100]);

export const weightsOf = (target, share) => ({ [target]: share, [otherThan(target)]: 100 - share });

/** Whether nothing but the wanted pods is there, all of them ready. */
export const isRolledOut = ({ metadata, spec, status = {} }) =>
  spec.replicas > 0 &&
  (status.observedGeneration ?? 0) >= metadata.generation &&
  (status.replicas ?? 0) === spec.replicas &&
  (status.updatedReplicas ?? 0) === spec.replicas &&
  (status.availableReplicas ?? 0) === spec.replicas;

const HOPELESS = ["ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"];
const TRIES = 2;

const endOf = ({ lastState, state }) => state?.terminated ?? lastState?.terminated;
const wordsOf = (end) =>
  [`exit ${end.exitCode}`, end.reason === "Error" ? "" : end.reason, end.message?.trim()].filter(Boolean).join(", ");

/** Why pods will not become ready however long one waits; undefined where they may. */
export function hopeless(pods) {
  for (const { metadata, status = {} } of pods)
    for (const each of status.containerStatuses ?? []) {
      const waiting = each.state?.waiting;
      const end = endOf(each);
      if (HOPELESS.includes(waiting?.reason))
        return `${metadata.name}: ${waiting.reason} ${waiting.message ?? ""}`.trim();
      if (each.restartCount >= TRIES && end)
        return `${metadata.name} ended ${each.restartCount} times, at last with ${wordsOf(end)}`;
    }
  return undefined;
}

/** What is known of pods that did not become ready in time. */
export function ailments(deployment, pods) {
  const refused = (deployment.status?.conditions ?? []).find(({ type }) => type === "ReplicaFailure")?.message;
  const unready = pods.flatMap(({ metadata, status = {} }) => {
    const container = (status.containerStatuses ?? []).find(({ ready }) => !ready);
    const waiting = container?.state?.waiting;
    const unmet = (status.conditions ?? []).find(({ type, status: met }) => type === "PodScheduled" && met !== "True");
    const end = container && endOf(container);
    const words =
      unmet?.message ?? (waiting && `${waiting.reason} ${waiting.message ?? ""}`.trim()) ?? (end && wordsOf(end));
    return container || unmet ? [`${metadata.name}: ${words ?? "runs, and its readiness probe is not answered"}`] : [];
  });
  return [refused, ...unready].filter(Boolean).join("; ") || "no pod of it was made";
}

/** What Prometheus answered, as numbers by one of its labels. */
export const tallyOf = (answer, label) =>
  Object.fromEntries(answer.data.result.map(({ metric, value }) => [metric[label], Number(value[1])]));

/** What was counted since. A counter that began anew counts from its beginning. */
export const since = (before, now) =>
  Object.fromEntries(
    Object.entries(now).map(([key, value]) => [key, value - (before[key] <= value ? before[key] : 0)]),
  );

const sum = (numbers) => numbers.reduce((all, each) => all + each, 0);
/** Fewer tell nothing: one may have been the client's network. */
const FEW = 3;
const IN_TIME = 0.95;

/** Why requests at the edge speak against the new version; undefined where they do not. `buckets` count up to their name, in seconds. */
export function against({ codes, buckets }, { errors, latency }) {
  const all = sum(Object.values(codes));
  const failed = sum(Object.entries(codes).flatMap(([code, count]) => (code.startsWith("5") ? [count] : [])));
  if (failed >= FEW && (failed / all) * 100 > errors)
    return `${Math.round(failed)} of ${Math.round(all)} requests at the edge failed with 5xx; ${errors} % may`;
  const total = buckets["+Inf"] ?? 0;
  const bounds = Object.keys(buckets).filter((bound) => Number(bound) * 1000 >= latency);
  const bound = bounds.sort((one, other) => Number(one) - Number(other))[0];
  const late = bound === undefined ? 0 : total - buckets[bound];
  if (late >= FEW && late / total > 1 - IN_TIME)
    return `${Math.round(late)} of ${Math.round(total)} requests at the edge took longer than ${latency} ms; 5 % may`;
  return undefined;
}

/** Why what the switch asked by itself speaks against the new version. */
export function refusal(failures) {
  return failures.length >= FEW
    ? `${failures.length} requests of the switch failed, at last ${failures.at(-1)}`
    : undefined;
}
