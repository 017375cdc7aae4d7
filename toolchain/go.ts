import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { emptyDirectory } from "./cache";
import { endLeftover, runLogged } from "./command";
import { exclusively } from "./exclusive";
import { goCaches, boundGoCaches } from "./goCaches";
import { type Trim, layTrims } from "./goTrims";
import type { GoSource } from "./lock";
import type { Making } from "./making";
import { findOnPath } from "./searchPath";
import type { Settings } from "./settings";
import { compareVersions } from "./version";

/** recipe.json beside a recipe's go.mod and go.sum. */
interface Recipe {
  readonly builds: readonly {
    readonly package: string;
    readonly output: string;
    readonly ldflags?: string;
    readonly tags?: string;
    readonly cgo?: boolean;
  }[];
  /** Copied out of a module ("." is the recipe itself) into the item. */
  readonly files?: readonly {
    readonly module: string;
    readonly from: string;
    readonly to: string;
    readonly mode?: number | string;
  }[];
  /** Modules built without parts of themselves. */
  readonly trims?: readonly Trim[];
  /** Shell commands run in the copy of the recipe before the builds. */
  readonly generate?: readonly string[];
}

const GO_ADVICE =
  "install it from go.dev/dl (a distribution's package is often older), or make the official downloads reachable";

/** Builds the recipes of an item, one build on the whole machine at a time: go itself uses all cores. */
export async function makeFromGo(source: GoSource, making: Making): Promise<void> {
  const { settings } = making;
  await exclusively(
    path.join(settings.cache.locks, "go-build"),
    async () => {
      for (const { name, outputs } of source.recipes) await buildRecipe(name, outputs, making);
      boundGoCaches(settings);
    },
    making.onWait,
  );
}

async function buildRecipe(name: string, outputs: readonly string[] | undefined, making: Making): Promise<void> {
  const { settings, stage, log } = making;
  const origin = path.join(settings.recipes, name);
  const recipe = JSON.parse(fs.readFileSync(path.join(origin, "recipe.json"), "utf8")) as Recipe;
  const record = path.join(settings.cache.build, "go.running.json");
  endLeftover(record);
  // A copy, because go and the generators may write beside go.mod, and the recipe belongs to the clone.
  const copy = emptyDirectory(settings.cache, "recipe", name);
  fs.cpSync(origin, copy, { recursive: true });
  const env = buildEnvironment(settings);
  const run = (command: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<void> =>
    runLogged(command, { cwd: copy, env: { ...env, ...extra }, log, record });
  const go = goProgram(settings);
  layTrims(recipe.trims ?? [], copy, go, env);
  for (const command of recipe.generate ?? []) await run(["sh", "-ec", command]);
  for (const build of recipe.builds) {
    if (outputs && !outputs.includes(build.output)) continue;
    making.note(`go build ${build.output}`);
    const tags = build.tags ? ["-tags", build.tags] : [];
    const target = path.join(stage, "bin", build.output);
    const ldflags = `-s -w ${build.ldflags ?? ""}`.trim();
    await run(["go", "build", ...tags, "-ldflags", ldflags, "-o", target, build.package], {
      CGO_ENABLED: build.cgo ? "1" : "0",
    });
  }
  for (const file of recipe.files ?? []) {
    const directory =
      file.module === "."
        ? copy
        : execFileSync(go, ["list", "-m", "-f", "{{.Dir}}", file.module], { cwd: copy, env, encoding: "utf8" }).trim();
    copyOut(path.join(directory, file.from), path.join(stage, file.to), file.mode);
  }
  fs.rmSync(copy, { recursive: true, force: true });
}

export function buildEnvironment(settings: Settings): NodeJS.ProcessEnv {
  const caches = goCaches(settings);
  for (const directory of [caches.build, caches.modules, caches.temporary])
    fs.mkdirSync(directory, { recursive: true });
  return {
    ...settings.env,
    GOCACHE: caches.build,
    GOMODCACHE: caches.modules,
    GOTMPDIR: caches.temporary,
    // go.sum is committed; the checksum database does not know several of the modules.
    GONOSUMDB: "*",
    GOFLAGS: "-mod=readonly -trimpath -buildvcs=false -modcacherw",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
  };
}

/** The module cache is read-only by design; what leaves it must not be, or nobody could prune the store. */
function copyOut(from: string, to: string, mode: number | string | undefined): void {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.cpSync(from, to, { recursive: true });
  const wanted = typeof mode === "string" ? parseInt(mode, 8) : mode;
  const entries = fs.statSync(to).isDirectory()
    ? fs.readdirSync(to, { recursive: true, encoding: "utf8" }).map((name) => path.join(to, name))
    : [];
  for (const entry of [to, ...entries]) {
    const state = fs.statSync(entry);
    fs.chmodSync(entry, state.isDirectory() ? 0o755 : (wanted ?? (state.mode & 0o777) | 0o644));
  }
}

/** What keeps a Go item from being built here, or undefined. Asked before anything is started. */
export function goObstacle(source: GoSource, settings: Settings): string | undefined {
  const missing = source.recipes.find(({ name }) => !fs.existsSync(path.join(settings.recipes, name, "recipe.json")));
  if (missing) return `its recipe toolchain/go/${missing.name} has no recipe.json`;
  const wanted =
    source.recipes
      .map(({ name }) => wantedGo(path.join(settings.recipes, name)))
      .sort(compareVersions)
      .at(-1) ?? "0";
  const go = findOnPath("go", settings.env["PATH"]);
  if (!go) return `it is built with Go ${wanted} or later and this machine has none: ${GO_ADVICE}`;
  const have = goVersion(go, settings.env);
  return compareVersions(have, wanted) < 0
    ? `it is built with Go ${wanted} or later and ${go} is ${have}: ${GO_ADVICE}`
    : undefined;
}

/** Reading a module takes any Go. */
export function moduleObstacle(settings: Settings): string | undefined {
  return findOnPath("go", settings.env["PATH"])
    ? undefined
    : `it is read out of a Go module and this machine has no Go: ${GO_ADVICE}`;
}

function wantedGo(recipe: string): string {
  return /^go (\S+)$/m.exec(fs.readFileSync(path.join(recipe, "go.mod"), "utf8"))?.[1] ?? "0";
}

const versions = new Map<string, string>();
export function goVersion(go: string, env: NodeJS.ProcessEnv): string {
  const known = versions.get(go);
  if (known !== undefined) return known;
  const text = execFileSync(go, ["env", "GOVERSION"], { env: { ...env, GOTOOLCHAIN: "local" }, encoding: "utf8" });
  const version = text.trim().replace(/^go/, "");
  versions.set(go, version);
  return version;
}

export function goProgram(settings: Settings): string {
  const go = findOnPath("go", settings.env["PATH"]);
  if (!go) throw new Error(`go is no longer on PATH: ${GO_ADVICE}`);
  return go;
}
