import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const MODULE = "k8s.io/pod-security-admission@v0.37.2";

/** Where Go keeps the module, fetched if need be; or why it could not be had. */
export function fixtures(): string | Error {
  const place = mkdtempSync(join(tmpdir(), "pod-security-"));
  try {
    const options = { cwd: place, encoding: "utf8" as const, timeout: 120_000, stdio: "pipe" as const };
    const said = execFileSync("go", ["mod", "download", "-json", MODULE], options);
    const root = join((JSON.parse(said) as { Dir: string }).Dir, "test", "testdata");
    return existsSync(root) ? root : new Error(`${root} is not there`);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
