import type { Dashboard } from "./dashboard";

const FIRING = 'ALERTS{alertstate="firing",alertname!="Watchdog"}';
const NOT_READY =
  'max by (namespace, pod) (kube_pod_status_ready{condition=~"false|unknown"}) == 1' +
  ' unless on (namespace, pod) kube_pod_status_phase{phase=~"Succeeded|Failed"} == 1';
/** Nothing found is a nought, not a gap. */
const count = (found: string): string => `count(${found}) or vector(0)`;

/** What is wrong in the environment, and how near it is to its limits. */
export const overview: Dashboard = {
  uid: "overview",
  title: "Overview",
  panels: [
    { title: "Alerts", shows: "now", tooMuch: 1, queries: { firing: count(FIRING) } },
    { title: "Targets that do not answer", shows: "now", tooMuch: 1, queries: { targets: count("up == 0") } },
    { title: "Pods that are not ready", shows: "now", tooMuch: 1, queries: { pods: count(NOT_READY) } },
    {
      title: "Secrets that do not follow Vault",
      shows: "now",
      tooMuch: 1,
      queries: { secrets: count('externalsecret_status_condition{condition="Ready",status="False"} == 1') },
    },
    {
      title: "Alerts that fire",
      shows: "course",
      queries: { "{{alertname}} {{namespace}} {{pod}}": `sum by (alertname, namespace, pod) (${FIRING})` },
    },
    {
      title: "Containers started anew",
      shows: "course",
      queries: {
        "{{namespace}}": "sum by (namespace) (increase(kube_pod_container_status_restarts_total[$__rate_interval]))",
      },
    },
    {
      title: "Quotas in use",
      shows: "course",
      unit: "percentunit",
      queries: {
        "{{namespace}} {{resource}}":
          'kube_resourcequota{type="used"} / on (namespace, resourcequota, resource) (kube_resourcequota{type="hard"} > 0)',
      },
    },
    {
      title: "Certificates end in",
      shows: "course",
      unit: "s",
      queries: {
        "{{namespace}}/{{name}}": "certmanager_certificate_expiration_timestamp_seconds - time()",
      },
    },
  ],
};
