import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Lock, LockItem } from "../../../toolchain/lock";
import type { EnsureOptions } from "../../../toolchain/settings";
import { lineProgress } from "../../../toolchain/progress";

/** Stands in for Go: records each call, "builds" a script that prints the recipe's text, and has one module. */
const FAKE_GO = `#!/bin/sh
echo "$*" >> "$FAKE_GO/calls"
case "$1" in
env) echo go99.0 ;;
mod) printf '{"Dir":"%s","Sum":"%s"}' "$FAKE_GO/module" "$(cat "$FAKE_GO/sum" 2>/dev/null)" ;;
build)
  echo $$ > "$FAKE_GO/pid"
  echo "compiling something"
  [ -e "$FAKE_GO/stuck" ] && sleep 20
  tries=0
  while [ -e "$FAKE_GO/hold" ] && [ $tries -lt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
  [ -e "$FAKE_GO/broken" ] && { echo "undefined: Something"; exit 1; }
  out=; while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
  mkdir -p "$(dirname "$out")" "$GOCACHE" && echo x > "$GOCACHE/object"
  { echo '#!/bin/sh'; echo "echo $(cat main.txt)"; } > "$out" && chmod +x "$out" ;;
esac
`;

/** A machine of a test's own: cache, PATH, home, recipes and lock, all in one temporary directory. */
export class Scratch {
  readonly root = fs.mkdtempSync(path.join(os.tmpdir(), "toolchain-test-"));
  readonly cache = path.join(this.root, "cache");
  readonly bin = path.join(this.root, "bin");
  readonly home = path.join(this.root, "home");
  readonly recipes = path.join(this.root, "recipes");
  readonly go = path.join(this.root, "go");
  readonly lines: string[] = [];
  origin: string | undefined;

  constructor() {
    for (const directory of [this.bin, this.home, this.recipes, this.go]) fs.mkdirSync(directory);
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }

  options(items: Record<string, LockItem>, more: Partial<EnsureOptions> = {}): EnsureOptions {
    const lock: Lock = { items };
    return {
      cache: this.cache,
      lock,
      recipes: this.recipes,
      env: this.env(),
      progress: lineProgress((line) => this.lines.push(line)),
      retryPauseMs: 5,
      ...more,
    };
  }

  env(): NodeJS.ProcessEnv {
    return {
      PATH: `${this.bin}:/usr/bin:/bin`,
      HOME: this.home,
      FAKE_GO: this.go,
      ...(this.origin ? { PLATFORM_DOWNLOAD_ORIGIN: this.origin } : {}),
    };
  }

  /** An executable on this machine's PATH. */
  tool(name: string, script: string, mode = 0o755): string {
    const file = path.join(this.bin, name);
    fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode });
    return file;
  }

  fakeGo(): void {
    fs.writeFileSync(path.join(this.bin, "go"), FAKE_GO, { mode: 0o755 });
  }

  goCalls(): string[] {
    const file = path.join(this.go, "calls");
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
  }

  recipe(name: string, text: string): void {
    const directory = path.join(this.recipes, name);
    fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(path.join(directory, "go.mod"), `module ${name}\n\ngo 1.20\n`);
    fs.writeFileSync(path.join(directory, "main.txt"), text);
    const recipe = {
      builds: [{ package: ".", output: name }],
      files: [{ module: ".", from: "main.txt", to: "share/text" }],
    };
    fs.writeFileSync(path.join(directory, "recipe.json"), JSON.stringify(recipe));
  }

  stored(): string[] {
    const store = path.join(this.cache, "store");
    return fs.existsSync(store) ? fs.readdirSync(store).sort() : [];
  }
}

/** An item built by the recipe of the same name. */
export function goItem(name: string, more: Partial<LockItem> = {}): LockItem {
  return {
    version: "1.0.0",
    purpose: "engine",
    provides: [name],
    noDownload: "not published",
    source: { kind: "go", recipes: [{ name }], diskGB: 0.01 },
    ...more,
  };
}
