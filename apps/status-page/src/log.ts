/** One JSON object per line, for whoever collects the container's output. */
export function log(level: "info" | "error", message: string): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, message });
  (level === "error" ? process.stderr : process.stdout).write(`${line}\n`);
}
