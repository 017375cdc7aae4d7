import type { Watch } from "./watch";

const STATES = { up: 1, down: 0, unseen: 0 } as const;

/** In the text format of Prometheus. */
export function metrics(watch: Watch): string {
  const { endpoints } = watch.settings;
  const each = (value: (history: ReturnType<Watch["historyOf"]>) => number): string[] =>
    endpoints.map((endpoint) => {
      const labels = `environment=${quoted(endpoint.environment)},endpoint=${quoted(endpoint.name)}`;
      return `{${labels}} ${value(watch.historyOf(endpoint))}`;
    });
  return [
    ...series(
      "status_endpoint_up",
      "gauge",
      "Whether the endpoint answers.",
      each(({ state }) => STATES[state]),
    ),
    ...series(
      "status_endpoint_seen",
      "gauge",
      "Whether it ever did.",
      each(({ state }) => (state === "unseen" ? 0 : 1)),
    ),
    ...series("status_rounds_total", "counter", "Rounds of questions.", [` ${watch.rounds}`]),
    ...series("status_history_saved_seconds", "gauge", "When the history was last kept.", [` ${watch.savedAt / 1000}`]),
    ...series("process_resident_memory_bytes", "gauge", "Memory in use.", [` ${process.memoryUsage.rss()}`]),
    "",
  ].join("\n");
}

const quoted = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')}"`;

const series = (name: string, type: string, help: string, values: readonly string[]): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
  ...values.map((value) => `${name}${value}`),
];
