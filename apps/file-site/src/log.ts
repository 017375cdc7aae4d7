/** One JSON object per line, for whoever collects the container's output. Never a key, an address of a visitor. */
export function log(level: "info" | "error", message: string): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, message });
  (level === "error" ? process.stderr : process.stdout).write(`${line}\n`);
}

/** Where an unexpected error comes from, without its message: that may quote what somebody sent. */
export function origin(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [error.name, ...frames.slice(0, 4).map((line) => line.trim())].join(" ");
}
