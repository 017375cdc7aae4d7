import { setTimeout as sleep } from "node:timers/promises";
import { kubectl } from "./kubectl";
import { type Rollout, type Seen, detailOf, rolloutsIn } from "./rolloutCauses";
import type { Session } from "./session";

const PAUSE_MS = 3000;
const LOG_LINES = 12;

/** An application whose new version does not get ready. */
export interface Failure {
  readonly image: string;
  readonly reason: string;
}

/** What becomes of a stack's applications while an update replaces their pods. */
export class Rollouts {
  private readonly said = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly stack: string,
    private readonly say: (line: string) => void,
  ) {}

  /** The revisions that are there, by application. */
  async revisions(): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.look()).map(({ app, revision }) => [app, revision]));
  }

  /** Says what keeps a new version from getting ready as soon as it is known, while the update still waits for it. */
  async during<T>(update: () => Promise<T>): Promise<T> {
    let over = false;
    const watch = async (): Promise<void> => {
      for (; !over; await sleep(PAUSE_MS))
        for (const rollout of await this.look()) if (rollout.isSure) await this.tell(rollout);
    };
    const watching = watch();
    try {
      return await update();
    } finally {
      over = true;
      await watching;
    }
  }

  /** The new versions that did not get ready, since these were the revisions. */
  async failures(before: ReadonlyMap<string, string>): Promise<Record<string, Failure>> {
    const failed = (await this.look()).filter(
      ({ app, revision, isSure, isLate }) => revision !== before.get(app) && (isSure || isLate),
    );
    const all = failed.map(async (rollout) => {
      const reason = await this.reasonOf(rollout);
      return [rollout.app, { image: rollout.image, reason }] as const;
    });
    return Object.fromEntries(await Promise.all(all));
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

  /** Who cannot look has nothing to say: Pulumi's own message remains. */
  private async look(): Promise<Rollout[]> {
    const found = ["apps", "status"].map(async (concern): Promise<Seen> => {
      const kinds = ["get", "deployments,replicasets,pods", "-n", `${this.stack}-${concern}`, "-o", "json"];
      return JSON.parse(await kubectl(this.session, kinds).catch(() => '{"items":[]}')) as Seen;
    });
    return (await Promise.all(found)).flatMap((seen) => rolloutsIn(seen, new Date()));
  }
}
