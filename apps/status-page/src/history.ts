import type { Answer } from "./probe";

/** `unseen` is what has never answered since it is watched: an environment that is not there yet is not down. */
export type State = "up" | "down" | "unseen";

export interface Beat {
  readonly at: number;
  readonly up: boolean;
  readonly ms: number;
}

export interface Change {
  readonly at: number;
  readonly up: boolean;
  readonly reason?: string;
}

export const BEATS = 60;
export const CHANGES = 20;
const HOUR_MS = 3_600_000;
const HOURS = 30 * 24;

/** What is kept of one endpoint. Its size has a bound, whatever the time and the interval. */
export class History {
  #state: State = "unseen";
  #since = 0;
  #checked = 0;
  #reason: string | undefined;
  #beats: Beat[] = [];
  #changes: Change[] = [];
  /** By the hour: how many answers there were, and how many of them good. */
  #hours: [hour: number, up: number, all: number][] = [];

  record({ up, ms, reason }: Answer, at: number): void {
    const state = up ? "up" : this.#state === "unseen" ? "unseen" : "down";
    if (state !== this.#state)
      this.#changes = [...this.#changes, { at, up, ...(reason && { reason }) }].slice(-CHANGES);
    if (state !== this.#state || this.#since === 0) this.#since = at;
    this.#state = state;
    this.#reason = reason;
    this.#checked = at;
    if (state === "unseen") return;
    this.#beats = [...this.#beats, { at, up, ms }].slice(-BEATS);
    const hour = Math.floor(at / HOUR_MS);
    const last = this.#hours.at(-1);
    if (last && last[0] >= hour) {
      last[1] += up ? 1 : 0;
      last[2]++;
    } else {
      this.#hours = [...this.#hours.filter(([each]) => each > hour - HOURS), [hour, up ? 1 : 0, 1]];
    }
  }

  get state(): State {
    return this.#state;
  }

  /** Since when it is as it is. */
  get since(): number {
    return this.#since;
  }

  get checked(): number {
    return this.#checked;
  }

  get reason(): string | undefined {
    return this.#reason;
  }

  get beats(): readonly Beat[] {
    return this.#beats;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** The share of good answers in so many hours, the current one among them; undefined where nothing was asked. */
  uptime(hours: number, now: number): number | undefined {
    const first = Math.floor(now / HOUR_MS) - hours;
    const within = this.#hours.filter(([hour]) => hour > first);
    const all = within.reduce((sum, [, , count]) => sum + count, 0);
    return all === 0 ? undefined : within.reduce((sum, [, up]) => sum + up, 0) / all;
  }

  toJSON(): Saved {
    return {
      state: this.#state,
      since: this.#since,
      checked: this.#checked,
      ...(this.#reason && { reason: this.#reason }),
      beats: this.#beats.map(({ at, up, ms }) => [at, up ? 1 : 0, ms]),
      changes: this.#changes,
      hours: this.#hours,
    };
  }

  static from(saved: Saved): History {
    const history = new History();
    history.#state = saved.state;
    history.#since = saved.since;
    history.#checked = saved.checked;
    history.#reason = saved.reason;
    history.#beats = saved.beats.map(([at, up, ms]) => ({ at, up: up === 1, ms })).slice(-BEATS);
    history.#changes = saved.changes.slice(-CHANGES);
    history.#hours = saved.hours.slice(-HOURS);
    return history;
  }
}

export interface Saved {
  readonly state: State;
  readonly since: number;
  readonly checked: number;
  readonly reason?: string;
  readonly beats: readonly (readonly [at: number, up: 0 | 1, ms: number])[];
  readonly changes: readonly Change[];
  readonly hours: [hour: number, up: number, all: number][];
}

const isCount = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isRow = (value: unknown): boolean => Array.isArray(value) && value.length === 3 && value.every(isCount);
const isReason = (value: unknown): boolean => value === undefined || typeof value === "string";

function isChange(value: unknown): boolean {
  const { at, up, reason } = (value ?? {}) as Record<string, unknown>;
  return isCount(at) && typeof up === "boolean" && isReason(reason);
}

/** Whether a file says what a history can be made of. */
export function isSaved(value: unknown): value is Saved {
  const { state, since, checked, reason, beats, changes, hours } = (value ?? {}) as Record<string, unknown>;
  return (
    ["up", "down", "unseen"].includes(state as string) &&
    isCount(since) &&
    isCount(checked) &&
    isReason(reason) &&
    [beats, hours].every((rows) => Array.isArray(rows) && rows.every(isRow)) &&
    Array.isArray(changes) &&
    changes.every(isChange)
  );
}
