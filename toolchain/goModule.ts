import { execFileSync } from "node:child_process";

/** A Go module by itself, `path@version`, as the module cache holds it and with the sum go.sum would have of it. */
export function downloadModule(module: string, go: string, env: NodeJS.ProcessEnv): { directory: string; sum: string } {
  // Outside any recipe: its go.mod may name directories that are not there yet.
  const cwd = env["GOMODCACHE"];
  const answer = execFileSync(go, ["mod", "download", "-json", module], {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { Dir: directory, Sum: sum } = JSON.parse(answer) as { readonly Dir: string; readonly Sum: string };
  return { directory, sum };
}
