import type { Dashboard } from "./dashboard";

/** Prometheus knows one environment only, so this is its own. */
const APPS = 'namespace=~".+-apps"';

/** The applications as their users find them, and as the cluster runs them. */
export const applications: Dashboard = {
  uid: "applications",
  title: "Applications",
  panels: [
    { title: "Answers", shows: "now", least: 1, queries: { "{{app}}": "probe_success" } },
    { title: "Answers with", shows: "now", tooMuch: 400, queries: { "{{app}}": "probe_http_status_code" } },
    {
      title: "Replicas",
      shows: "now",
      least: 1,
      queries: { "{{deployment}}": `kube_deployment_status_replicas_available{${APPS}}` },
    },
    {
      title: "Containers that end again and again",
      shows: "now",
      tooMuch: 1,
      queries: {
        containers: `count(kube_pod_container_status_waiting_reason{${APPS},reason="CrashLoopBackOff"} == 1) or vector(0)`,
      },
    },
    {
      title: "Time for an answer",
      shows: "course",
      unit: "s",
      queries: { "{{app}}": "probe_duration_seconds" },
    },
    {
      title: "Replicas",
      shows: "course",
      queries: {
        "{{deployment}}": `kube_deployment_status_replicas_available{${APPS}}`,
        "{{deployment}}, wanted": `kube_deployment_spec_replicas{${APPS}}`,
      },
    },
    {
      title: "Containers started anew",
      shows: "course",
      queries: { "{{pod}}": `increase(kube_pod_container_status_restarts_total{${APPS}}[$__rate_interval]) > 0` },
    },
    {
      title: "Answered",
      shows: "course",
      unit: "percentunit",
      queries: { "{{app}}": "avg_over_time(probe_success[15m])" },
    },
  ],
};
