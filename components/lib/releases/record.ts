import { createHash } from "node:crypto";
import type { AppConfig } from "../appConfig";
import { parseReference } from "../imageReference";

/** What a stage recorded about an application that runs in it and got ready: never a secret. */
export interface Release {
  readonly image: string;
  readonly tag: string;
  readonly digest: string;
  readonly version?: string;
  /** When the update ended that made it ready here. */
  readonly healthySince?: string;
  /** The guards that somebody set aside for it. */
  readonly overrides?: readonly Override[];
}

export interface Override {
  readonly guard: "lower" | "early";
  readonly reason: string;
  readonly by?: string;
}

/** With what the stack file said of it then. */
export interface Good extends Release {
  readonly settings?: Settings;
}

/** All that an entry of a stack file says but where the image comes from. */
export type Settings = Omit<AppConfig, "source" | "from">;

/** What is not tried again by itself. */
export interface Rejection {
  readonly image: string;
  readonly version?: string;
  /** Where the same image was good with other settings: those with which it was not. */
  readonly settings?: string;
  readonly reason: string;
  readonly at: string;
}

/** Of one application, the newest first. The first that was good is what runs. */
export interface History {
  readonly good: readonly Good[];
  readonly rejected: readonly Rejection[];
}

export const NO_HISTORY: History = { good: [], rejected: [] };

/** What a stack says of itself. One that was updated last before there was a history has its releases only. */
export interface Recorded {
  readonly releases?: Readonly<Record<string, Release>>;
  readonly history?: Readonly<Record<string, History>>;
}

export function historyOf(app: string, { releases, history }: Recorded): History {
  const release = releases?.[app];
  return history?.[app] ?? (release ? { good: [release], rejected: [] } : NO_HISTORY);
}

const GOOD_KEPT = 5;
const REJECTED_KEPT = 10;

export const bounded = ({ good, rejected }: History): History => ({
  good: good.slice(0, GOOD_KEPT),
  rejected: rejected.slice(0, REJECTED_KEPT),
});

/** As it can be written down: without what is not there. */
export const settingsOf = (config: AppConfig): Settings =>
  JSON.parse(JSON.stringify({ ...config, source: undefined, from: undefined })) as Settings;

const sorted = (value: unknown): unknown =>
  typeof value !== "object" || value === null
    ? value
    : Array.isArray(value)
      ? value.map(sorted)
      : Object.fromEntries(
          Object.entries(value)
            .sort(([one], [other]) => (one < other ? -1 : 1))
            .map(([key, each]) => [key, sorted(each)]),
        );

export const fingerprint = (settings: Settings): string =>
  createHash("sha256")
    .update(JSON.stringify(sorted(settings)))
    .digest("hex")
    .slice(0, 12);

/** The registry's name differs from stage to stage, the digest does not. Before a build there is a tag only. */
export interface Pictured {
  readonly image?: string;
  readonly tag?: string;
}

export function isSameImage(one: Pictured, other: Pictured): boolean {
  if (one.image && other.image) return parseReference(one.image).digest === parseReference(other.image).digest;
  const tagOf = ({ image, tag }: Pictured): string | undefined => (image ? parseReference(image).tag : tag);
  return tagOf(one) !== undefined && tagOf(one) === tagOf(other);
}

/** Why an image is not to run with these settings, if it is not. */
export const rejectionOf = (
  { rejected }: History,
  image: Pictured,
  settings: Settings | undefined,
): Rejection | undefined =>
  rejected.find(
    (each) =>
      isSameImage(each, image) &&
      (each.settings === undefined || (settings !== undefined && each.settings === fingerprint(settings))),
  );

export function releaseOf(good: Good): Release {
  const entries = Object.entries(good).filter(([key]) => key !== "settings");
  return Object.fromEntries(entries) as unknown as Release;
}

/** "1.4.0 (sha256:0123456789ab)" */
export function named({ image, version }: { readonly image?: string; readonly version?: string }): string {
  const digest = image && parseReference(image).digest.slice(0, "sha256:".length + 12);
  return version && digest ? `${version} (${digest})` : (version ?? digest ?? "a version that is not known yet");
}

/** To the second, as people read it. */
export const moment = (time: Date | number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;
