import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Session } from "./session";

/** What kubectl prints for the session's cluster; fails with what it says. */
export async function kubectl(session: Session, args: readonly string[]): Promise<string> {
  const context = session.PLATFORM_CONTEXT ? ["--context", session.PLATFORM_CONTEXT] : [];
  const env = { ...process.env, ...session };
  const { stdout } = await promisify(execFile)("kubectl", [...context, "--request-timeout=10s", ...args], { env });
  return stdout;
}
