import { secondsOf } from "../../lib/quantities";
import type { Strategy } from "../../lib/strategyConfig";

/** By which the two versions are told apart, and under which a template says what it holds. */
export const COLOUR_LABEL = "platform/colour";
const RELEASE_ANNOTATION = "platform/release";

/** What a switch is about. */
export interface Switched {
  readonly app: string;
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  /** The pod template of the new version. */
  readonly template: object;
  readonly strategy: Strategy;
  readonly port: number;
  readonly replicas: number;
  readonly autoscaled: boolean;
  /** At the edge, where the application has one: all of a route's rule but the backends. */
  readonly rule?: object;
  readonly host?: string;
  /** Where requests at the edge are counted. */
  readonly prometheus?: string;
}

export interface SwitchNames {
  readonly job: string;
  readonly tidy: string;
  readonly record: string;
}

/** Where the switch finds what it uses, and how long it waits; a test has it otherwise. */
interface Surroundings {
  readonly places: { readonly api: string; readonly account: string; readonly last: string };
  readonly patience: Patience;
}

interface Patience {
  /** For new pods. */
  readonly ready: number;
  /** Until the last request that went the old way has ended. */
  readonly drain: number;
  /** Between two looks. */
  readonly look: number;
}

const PATIENCE: Patience = { ready: 90, drain: 10, look: 1 };
const HERE: Surroundings = {
  places: {
    api: "https://kubernetes.default.svc",
    account: "/var/run/secrets/kubernetes.io/serviceaccount",
    last: "/dev/termination-log",
  },
  patience: PATIENCE,
};

export const switchNames = (app: string): SwitchNames => ({
  job: `${app}-switch`,
  tidy: `${app}-tidy`,
  record: `${app}-release`,
});

/** The file that the switch reads. The template comes as it is: what it holds decides whether there is anything to do. */
export const switchSettings = (switched: Switched, surroundings: Surroundings = HERE): object => ({
  ...switched,
  ...surroundings,
  strategy: { ...switched.strategy, keep: secondsOf(switched.strategy.keep) },
  marks: { colour: COLOUR_LABEL, release: RELEASE_ANNOTATION },
  names: switchNames(switched.app),
});

/** A pod that has to be started once more on another node. */
const ANEW_SECONDS = 60;

/** After which a switch has either ended or will not. */
export const deadlineOf = ({ steps, seconds }: Strategy): number =>
  PATIENCE.ready + seconds * (steps.length + 2) + 2 * PATIENCE.drain + ANEW_SECONDS;
