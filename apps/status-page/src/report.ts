import type { Beat, Change, History, State } from "./history";
import type { Endpoint } from "./settings";
import type { Watch } from "./watch";

/** In hours, the current one among them. */
export const WINDOWS = { "24h": 24, "7d": 7 * 24, "30d": 30 * 24 } as const;
type Window = keyof typeof WINDOWS;

export interface EndpointReport {
  readonly name: string;
  /** Where visitors go. */
  readonly url: string;
  readonly state: State;
  readonly since: string;
  readonly checked: string;
  readonly reason?: string;
  /** In percent; null where nothing was asked yet. */
  readonly uptime: Readonly<Record<Window, number | null>>;
  /** The last answers, oldest first. */
  readonly recent: readonly (Omit<Beat, "at"> & { readonly at: string })[];
  readonly changes: readonly (Omit<Change, "at"> & { readonly at: string })[];
}

export interface Report {
  readonly time: string;
  readonly intervalSeconds: number;
  readonly counts: Readonly<Record<State, number>>;
  readonly environments: readonly { readonly name: string; readonly endpoints: readonly EndpointReport[] }[];
}

const dated = <T extends { readonly at: number }>(each: T): Omit<T, "at"> & { at: string } => ({
  ...each,
  at: new Date(each.at).toISOString(),
});

function reportOf({ name, url }: Endpoint, history: History, now: number): EndpointReport {
  const { state, reason, since, checked, beats, changes } = history;
  const percent = (hours: number): number | null => {
    const share = history.uptime(hours, now);
    // Rounded down: what failed once is not at 100. The bit more is for shares that binary fractions miss.
    return share === undefined ? null : Math.floor(share * 100_000 + 1e-6) / 1000;
  };
  const uptime = Object.fromEntries(Object.entries(WINDOWS).map(([window, hours]) => [window, percent(hours)]));
  return {
    name,
    // Where visitors go, without the last part, where only its state is told.
    url: url.href.slice(0, url.href.lastIndexOf("/")),
    state,
    since: new Date(since).toISOString(),
    checked: new Date(checked).toISOString(),
    ...(reason && { reason }),
    uptime: uptime as Record<Window, number | null>,
    recent: beats.map(dated),
    changes: changes.map(dated),
  };
}

/** All that is known, for programs and for the page; environments in the order of the settings. */
export function report(watch: Watch, now: number): Report {
  const { endpoints, intervalMs } = watch.settings;
  const states = endpoints.map((each) => watch.historyOf(each).state);
  const count = (wanted: State): number => states.filter((state) => state === wanted).length;
  return {
    time: new Date(now).toISOString(),
    intervalSeconds: intervalMs / 1000,
    counts: { up: count("up"), down: count("down"), unseen: count("unseen") },
    environments: [...new Set(endpoints.map(({ environment }) => environment))].map((name) => ({
      name,
      endpoints: endpoints
        .filter(({ environment }) => environment === name)
        .map((each) => reportOf(each, watch.historyOf(each), now)),
    })),
  };
}
