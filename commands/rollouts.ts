import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { changesDeployment, eventsOf } from "./engineEvents";
import { kubectl } from "./kubectl";
import { type Rollout, type Seen, detailOf, revisionOf, rolloutsIn, verdictsIn } from "./rolloutCauses";
import type { Session } from "./session";

const LOG_LINES = 12;

/** An application whose new version does not get ready. */
export interface Failure {
  readonly image: string;
  readonly reason: string;
}

/** By application. */
export type Failures = Readonly<Record<string, Failure>>;

/** Those that are there at one time, and the verdicts of switches. */
export type Revisions = ReadonlySet<string>;
/** What was good last, by application, and what is held back already. */
export type Releases = Readonly<Record<string, { readonly image: string; readonly rejected?: readonly string[] }>>;

interface Known {
  readonly before: Revisions;
  readonly releases: () => Promise<Releases>;
}

/** What becomes of a stack's applications while an update replaces their pods. */
export class Rollouts {
  private readonly said = new Set<string>();
  private readonly ended = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly stack: string,
    private readonly say: (line: string) => void,
    private readonly pauseMs = 3000,
  ) {}

  async revisions(): Promise<Revisions> {
    const { items } = await this.see("deployments,configmaps");
    return new Set([
      ...items.filter(({ kind }) => kind === "Deployment").map(revisionOf),
      ...verdictsIn({ items }).map(({ mark }) => mark),
    ]);
  }

  /**
   * Says what keeps a new version from getting ready as soon as it is known, while the update still waits for it. Where there is a
   * good one to go back to, and the cluster has given the new one up, the signal ends the update, which would wait for twice as
   * long. As long as the update's log of events changes no Deployment, the cluster is not asked.
   */
  async during<T>(
    { before, releases }: Known,
    update: (events: string, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "platform-events-"));
    const log = path.join(dir, "events");
    const begun = (): boolean => changesDeployment(eventsOf(log));
    const [over, givenUp] = [new AbortController(), new AbortController()];
    const pause = (): Promise<void> => sleep(this.pauseMs, undefined, { signal: over.signal }).catch(() => undefined);
    const watch = async (): Promise<void> => {
      while (!over.signal.aborted && !begun()) await pause();
      for (; !over.signal.aborted; await pause()) {
        const rollouts = await this.look();
        for (const rollout of rollouts) if (rollout.isSure) await this.tell(rollout);
        const late = rollouts.filter(
          ({ revision, isSure, isLate }) => isSure && isLate && !before.has(revision) && !this.ended.has(revision),
        );
        if (late.length > 0 && this.giveUp(late, await releases()) && !over.signal.aborted) givenUp.abort();
      }
    };
    const watching = watch();
    try {
      return await update(log, givenUp.signal);
    } finally {
      over.abort();
      await watching;
      fs.rmSync(dir, { recursive: true });
    }
  }

  /** Once for each new version: the next update replaces it. */
  private giveUp(late: readonly Rollout[], good: Releases): boolean {
    const held = late.filter(({ app }) => good[app]);
    for (const { app, revision } of held) {
      this.ended.add(revision);
      this.say(`${app}: the cluster has given its new version up, and this update is ended`);
    }
    return held.length > 0;
  }

  /** The new versions that did not get ready: other revisions than these were, or other images than were good. */
  async failures(before: Revisions, good: Releases): Promise<Failures> {
    const failed = (await this.look()).filter(
      ({ app, revision, image, isSure, isLate }) =>
        (isSure || isLate) && good[app] && (!before.has(revision) || good[app].image !== image),
    );
    const all = failed.map(async (rollout) => {
      const reason = await this.reasonOf(rollout);
      return [rollout.app, { image: rollout.image, reason }] as const;
    });
    // Which the switch has taken away again: no pods of it are left to look at.
    const judged = verdictsIn(await this.see("configmaps"))
      .filter(({ app, image, mark }) => {
        const isKnown = image === good[app]?.image || good[app]?.rejected?.includes(image);
        return good[app] && (!before.has(mark) || !isKnown);
      })
      .map(({ app, image, reason }) => [app, { image, reason }] as const);
    return Object.fromEntries([...(await Promise.all(all)), ...judged]);
  }

  private async tell(rollout: Rollout): Promise<void> {
    const key = `${rollout.app} ${rollout.revision} ${rollout.cause}`;
    if (this.said.has(key)) return;
    this.said.add(key);
    this.say(`${rollout.app} does not get ready: ${await this.reasonOf(rollout)}`);
  }

  private async reasonOf(rollout: Rollout): Promise<string> {
    const { pod, container, namespace, cause, hasCrashed } = rollout;
    if (!pod) return cause;
    if (!hasCrashed) return detailOf(cause, await this.events(namespace, pod));
    const of = ["logs", pod, "-n", namespace, "-c", container ?? "app", `--tail=${LOG_LINES}`];
    // Between two tries there is only what the last one said.
    const log = await kubectl(this.session, [...of, "--previous"]).catch(() =>
      kubectl(this.session, of).catch(() => ""),
    );
    return log.trim() ? `${cause}; it said last:\n${log.trim().replace(/^/gm, "    ")}` : cause;
  }

  private async events(namespace: string, pod: string): Promise<{ reason?: string; message?: string }[]> {
    const of = ["get", "events", "-n", namespace, `--field-selector=involvedObject.name=${pod}`, "-o", "json"];
    const text = await kubectl(this.session, of).catch(() => '{"items":[]}');
    return (JSON.parse(text) as { items: { reason?: string; message?: string }[] }).items;
  }

  private async look(): Promise<Rollout[]> {
    return rolloutsIn(await this.see("deployments,replicasets,pods"), new Date());
  }

  /** Who cannot look has nothing to say: Pulumi's own message remains. */
  private async see(kinds: string): Promise<Seen> {
    const found = ["apps", "status"].map(async (concern): Promise<Seen> => {
      const listed = ["get", kinds, "-n", `${this.stack}-${concern}`, "-o", "json"];
      return JSON.parse(await kubectl(this.session, listed).catch(() => '{"items":[]}')) as Seen;
    });
    return { items: (await Promise.all(found)).flatMap(({ items }) => items) };
  }
}
