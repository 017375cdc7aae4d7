/** Runs once when the server starts: the connection is made before the first request, and bad settings end the process. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { start } = await import("./start");
  start();
}
