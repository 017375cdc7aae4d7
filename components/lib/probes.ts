import type * as k8s from "@pulumi/kubernetes";

type Probe = k8s.types.input.core.v1.Probe;

/** Within two minutes, looked for every second: what starts fast serves soon, and what is starved gets its time. */
export const whenStarted = (probe: Probe): Probe => ({
  ...probe,
  periodSeconds: 1,
  timeoutSeconds: 3,
  failureThreshold: 120,
});

/** Takes no requests after three unanswered questions. */
export const whenReady = (probe: Probe): Probe => ({
  ...probe,
  periodSeconds: 2,
  timeoutSeconds: 3,
  failureThreshold: 3,
});

/** Killed after a minute of silence and no sooner: on a busy node the slow are not dead, and starting anew makes it busier. */
export const whileAlive = (probe: Probe): Probe => ({
  ...probe,
  periodSeconds: 10,
  timeoutSeconds: 5,
  failureThreshold: 6,
});
