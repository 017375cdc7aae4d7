import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { LockItem, Present } from "./lock";
import { findOnPath, isBelow, isExecutable } from "./searchPath";
import type { Settings } from "./settings";
import { fits } from "./version";

/** What the machine has of an item: usable, or why not. */
interface Finding {
  readonly fits: boolean;
  /** One phrase, for the doctor: "3.225.1 in /usr/bin", "not found". */
  readonly text: string;
  /** Path of each provided binary, when it fits. */
  readonly files: Readonly<Record<string, string>>;
}

const PROBE_TIMEOUT_MS = 10_000;

/** Looks for an item outside our own cache; what the cache holds is known without asking. */
export function findPresent(item: LockItem, settings: Settings): Finding {
  if (item.plugin) return findPlugin(item.plugin, item.version, settings);
  if (!item.present) return { fits: false, text: "never looked for: our own build only", files: {} };
  const files: Record<string, string> = {};
  const missing: string[] = [];
  for (const name of item.provides) {
    const file = find(name, item.present, settings);
    if (file) files[name] = file;
    else missing.push(name);
  }
  if (missing.length === item.provides.length) return { fits: false, text: "not found", files: {} };
  if (missing.length > 0) return { fits: false, text: `incomplete: no ${missing.join(", ")}`, files: {} };
  // Parts of two installations need not work together: the engine and its language host least of all.
  const directories = new Set(Object.values(files).map((file) => path.dirname(file)));
  if (directories.size > 1 && !item.present.apart)
    return { fits: false, text: `parts of it in ${[...directories].join(" and ")}`, files: {} };
  return judgeVersion(item.present, files, [...directories][0] ?? "", settings);
}

function find(name: string, present: Present, settings: Settings): string | undefined {
  const extra = (present.directories ?? []).join(path.delimiter);
  const places = `${settings.env["PATH"] ?? ""}${path.delimiter}${extra}`;
  const found = [name, ...(present.names?.[name] ?? [])].map((each) => findOnPath(each, places, settings.cache.root));
  return found.find((file) => file !== undefined);
}

function judgeVersion(present: Present, files: Record<string, string>, directory: string, settings: Settings): Finding {
  const [program = "", ...args] = present.command;
  const file = files[program] ?? find(program, present, settings);
  if (!file) return { fits: false, text: `no ${program} to ask for its version`, files: {} };
  const output = askVersion(file, args, settings);
  const version = new RegExp(present.match).exec(output)?.[1];
  if (version === undefined)
    return { fits: false, text: `${file} does not tell its version (${firstLine(output)})`, files: {} };
  const suits = fits(version, present.range);
  return {
    fits: suits,
    text: `${version} in ${directory}${suits ? "" : `, wanted ${present.range}`}`,
    files: suits ? files : {},
  };
}

function findPlugin(plugin: string, version: string, settings: Settings): Finding {
  const name = `pulumi-resource-${plugin}`;
  const file = path.join(settings.userPulumiHome, "plugins", `resource-${plugin}-v${version}`, name);
  if (isBelow(file, settings.cache.root) || !isExecutable(file)) return { fits: false, text: "not found", files: {} };
  return { fits: true, text: `${version} in ${path.dirname(file)}`, files: { [name]: file } };
}

/** Asking costs a process each; the answer holds as long as the file does not change. */
function askVersion(file: string, args: readonly string[], settings: Settings): string {
  const state = fs.statSync(file);
  const key = `${fs.realpathSync(file)} ${args.join(" ")} ${state.size} ${state.mtimeMs}`;
  const memory = path.join(settings.cache.root, "present.json");
  const known = readMemory(memory);
  const remembered = known[key];
  if (remembered !== undefined) return remembered;
  // Some tools tell their version on stderr.
  const { stdout, stderr, status, error } = spawnSync(file, [...args], {
    encoding: "utf8",
    env: { ...settings.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PROBE_TIMEOUT_MS,
  });
  if (status !== 0) return `it cannot be run: ${error?.message ?? `exit code ${status}`}`;
  const output = stdout + stderr;
  writeMemory(memory, { ...readMemory(memory), [key]: output.slice(0, 500) });
  return output;
}

function readMemory(file: string): Record<string, string> {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, string>;
  } catch {
    return {};
  }
}

function writeMemory(file: string, memory: Record<string, string>): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}`;
  fs.writeFileSync(fresh, JSON.stringify(memory));
  fs.renameSync(fresh, file);
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]?.slice(0, 120) ?? "";
}
