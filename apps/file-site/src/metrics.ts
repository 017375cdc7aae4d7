/** Counters by name and labels, in the text format of Prometheus. */
export class Metrics {
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(private readonly help: Readonly<Record<string, string>>) {
    for (const name of Object.keys(help)) this.#counts.set(name, new Map());
  }

  /** Label values must come from a small, fixed set: each combination is kept for as long as the process lives. */
  count(name: string, labels: Readonly<Record<string, string | number>> = {}, by = 1): void {
    const series = this.#counts.get(name);
    if (!series) throw new Error(`no metric is called ${name}`);
    const key = Object.entries(labels)
      .map(([label, value]) => `${label}="${value}"`)
      .join(",");
    series.set(key, (series.get(key) ?? 0) + by);
  }

  text(): string {
    const lines = [...this.#counts].flatMap(([name, series]) => [
      `# HELP ${name} ${this.help[name]}`,
      `# TYPE ${name} counter`,
      ...[...series].map(([labels, value]) => `${name}${labels && `{${labels}}`} ${value}`),
    ]);
    return `${lines.join("\n")}\n`;
  }
}
