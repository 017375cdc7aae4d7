/** One alert. Its name is also that of the runbook that says what to do: docs/runbooks/<alert>.md. */
export interface Rule {
  readonly alert: string;
  readonly expr: string;
  /** How long it has to hold before anybody hears of it. */
  readonly for?: string;
  /** `critical`: somebody has to look now; `warning`: today; `none`: not a fault at all. */
  readonly severity: "critical" | "warning" | "none";
  /** One line; `{{ $labels.pod }}` and the like say which one. */
  readonly summary: string;
}

/** As Prometheus reads it. `runbooks` is where docs/runbooks can be read. */
export function prometheusRule({ alert, expr, for: hold, severity, summary }: Rule, runbooks: string): object {
  return {
    alert,
    expr,
    ...(hold ? { for: hold } : {}),
    labels: { severity },
    annotations: { summary, runbook_url: `${runbooks.replace(/\/$/, "")}/${alert}.md` },
  };
}

/** The alert that whatever is asked under this name does not answer, or is not there to be asked. */
export const targetDown = (job: string): Rule => ({
  alert: "TargetDown",
  expr: `up{job="${job}"} == 0 or absent(up{job="${job}"})`,
  for: "1m",
  severity: "critical",
  summary: `${job} does not answer Prometheus`,
});
