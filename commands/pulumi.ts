import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StateResource } from "../drift/state";
import { RUN_MARKER, endProcesses, isPulumi, leftovers } from "../sandbox/pulumiProcesses";
import { changesNothing, eventsOf } from "./engineEvents";
import { type SecretsProvider, checkPassphrase, withPassphrase } from "./passphrase";
import { foresight, logged, policyPack, updateArguments } from "./pulumiArguments";
import { ROOT, Session, removeSalt } from "./session";
import { STACKS } from "./stacks";

/** The exit code of what was interrupted by hand, as in a shell. */
export const INTERRUPTED = 130;

interface UpdateHow {
  readonly previewed?: boolean;
  /** A file for the engine's log of events. */
  readonly events?: string;
  readonly signal?: AbortSignal;
}

/** Runs Pulumi for a stack, and puts right what a killed run left behind. */
export class Pulumi {
  constructor(
    private readonly session: Session,
    private readonly stack: string,
  ) {}

  /** Shows its output as it comes; resolves to the exit code. The signal makes it end in order before it is done. */
  run(args: readonly string[], signal?: AbortSignal): Promise<number> {
    return new Promise((done, fail) => {
      const child = spawn("pulumi", [...args, "--non-interactive"], {
        cwd: ROOT,
        env: this.env,
        stdio: ["ignore", "inherit", "inherit"],
      });
      // The terminal interrupts Pulumi itself, which then ends in order: stay until it has.
      let interrupted = false;
      const stay = (): void => void (interrupted = true);
      process.on("SIGINT", stay);
      signal?.addEventListener("abort", () => child.kill("SIGINT"));
      child.on("error", fail);
      child.on("close", (code) => {
        process.off("SIGINT", stay);
        removeSalt(this.stack);
        done(interrupted && code !== 0 ? INTERRUPTED : (code ?? 1));
      });
    });
  }

  /** Resolves to what it printed; fails with what it said. */
  read(args: readonly string[]): Promise<string> {
    return new Promise((done, fail) => {
      const child = spawn("pulumi", [...args, "--non-interactive"], {
        cwd: ROOT,
        env: this.env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let out = "";
      let err = "";
      child.stdout.on("data", (data: Buffer) => (out += data.toString()));
      child.stderr.on("data", (data: Buffer) => (err += data.toString()));
      child.on("error", fail);
      child.on("close", (code) => {
        removeSalt(this.stack);
        if (code === 0) done(out);
        else fail(new Error(`pulumi ${args.join(" ")}: ${err.trim() || out.trim() || `exit ${code}`}`));
      });
    });
  }

  async exists(): Promise<boolean> {
    const stacks = JSON.parse(await this.read(["stack", "ls", "--json"])) as { name: string }[];
    return stacks.some(({ name }) => name === this.stack);
  }

  /** Makes the stack where it is missing and clears what a killed run left. */
  async prepare(): Promise<void> {
    removeSalt(this.stack);
    await this.settleLocks();
    // Plugins of a dead run could still write what no state would ever know of.
    await endProcesses(() => leftovers(this.backend), console.error);
    const text = await this.stateOf(this.stack);
    if (text === undefined) {
      await this.read(["stack", "init", this.stack, "--no-select"]);
      return;
    }
    const state = JSON.parse(text) as State;
    // A local cluster's lies beside its state.
    if (!this.backend.startsWith("file://")) checkPassphrase(state.deployment?.secrets_providers, this.env, this.stack);
    const pending = state.deployment?.pending_operations ?? [];
    if (pending.length === 0) return;
    console.error(
      `an earlier run was interrupted in ${pending.length} operation(s): asking the cluster what became of them`,
    );
    await this.import({ ...state, deployment: withCreated(state.deployment ?? {}) });
    const code = await this.run(["refresh", "-s", this.stack, "--yes", "--skip-preview", "--suppress-outputs"]);
    if (code !== 0) throw new Error(`the interrupted run could not be put right: see above, then run npm run up again`);
  }

  /** Locks of the local backend name their process: one that is gone holds nothing, one that works is waited for. */
  private async settleLocks(): Promise<void> {
    const backend = this.session.PULUMI_BACKEND_URL ?? "";
    if (!backend.startsWith("file://")) return;
    const locks = path.join(backend.slice("file://".length), ".pulumi", "locks");
    if (!fs.existsSync(locks)) return;
    const ofThisStack = (entry: string): boolean =>
      entry.endsWith(".json") && entry.split(path.sep).includes(this.stack);
    for (const entry of fs.readdirSync(locks, { recursive: true, encoding: "utf8" }).filter(ofThisStack)) {
      const file = path.join(locks, entry);
      for (let said = false; isHeld(file); said = true) {
        if (!said)
          console.error(`waiting for another run of Pulumi on stack ${this.stack} (process ${holderOf(file)?.pid}) …`);
        await sleep(500);
      }
      fs.rmSync(file, { force: true });
    }
  }

  /**
   * Brings the stack to what the program says, with the policy pack; resolves to the exit code. What was not previewed just now is
   * previewed first, and where that finds nothing to change, it is over.
   */
  async update({ previewed = false, events, signal }: UpdateHow = {}): Promise<number> {
    const { code, isOver } = previewed ? { code: 0, isOver: false } : await this.foresee(signal);
    if (code !== 0 || isOver) return code;
    return this.run([...updateArguments(this.stack), ...(events ? logged(events) : [])], signal);
  }

  private async foresee(signal?: AbortSignal): Promise<{ code: number; isOver: boolean }> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "platform-preview-"));
    try {
      const log = path.join(dir, "events");
      const code = await this.run([...foresight(this.stack), ...logged(log)], signal);
      return { code, isOver: changesNothing(eventsOf(log)) };
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  }

  /** Shows what an update would change, with the policy pack; resolves to the exit code. */
  preview({ events }: { events?: string } = {}): Promise<number> {
    return this.run([
      "preview",
      "-s",
      this.stack,
      "--diff",
      ...policyPack(this.stack),
      ...(events ? logged(events) : []),
    ]);
  }

  /** The states that a run reads: its own, and those of the stages before it where they are. */
  states(): Promise<string[]> {
    const stages = STACKS.slice(0, STACKS.indexOf(this.stack) + 1);
    return Promise.all(stages.map(async (stack) => (await this.stateOf(stack)) ?? ""));
  }

  /** What the state knows, in the order in which it was made. */
  async urns(): Promise<string[]> {
    return ((await this.exported()).deployment?.resources ?? []).map(({ urn }) => urn);
  }

  /** What the program gave back; a secret is there as it is in the state. From the export, which decrypts nothing. */
  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const resources = (await this.exported()).deployment?.resources ?? [];
    return resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
  }

  /** A shared backend's locks say who made them, but nobody here can tell whether that run still works. */
  get lockHint(): string {
    if (this.backend.startsWith("file://")) return "";
    return (
      `. If it says that the stack is locked, another run works on it and nothing was changed: wait, and run this again. Only if ` +
      `that run is known to be dead, as when its machine or its job is gone: pulumi cancel -s ${this.stack}, then npm run up, ` +
      `which takes over what it had begun`
    );
  }

  /** What the state knows, with its secrets in the clear: for comparing, never for showing or writing down. */
  async resources(): Promise<readonly StateResource[]> {
    const text = await this.read(["stack", "export", "-s", this.stack, "--show-secrets"]);
    return (JSON.parse(text) as { deployment?: { resources?: StateResource[] } }).deployment?.resources ?? [];
  }

  /** Looks what became of some objects, and of nothing else; resolves to the exit code. */
  refresh(urns: readonly string[]): Promise<number> {
    const targets = urns.flatMap((urn) => ["--target", urn]);
    return this.run(["refresh", "-s", this.stack, "--yes", "--skip-preview", "--suppress-outputs", ...targets]);
  }

  private async exported(): Promise<State> {
    return JSON.parse(await this.read(["stack", "export", "-s", this.stack])) as State;
  }

  /** Undefined where there is no such stack. */
  private stateOf(stack: string): Promise<string | undefined> {
    return this.read(["stack", "export", "-s", stack]).catch((error: Error) => {
      if (error.message.includes("no stack named")) return undefined;
      throw error;
    });
  }

  /** It has secrets only as they are in the state: encrypted. */
  private async import(state: State): Promise<void> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "platform-state-"));
    try {
      const file = path.join(dir, "state.json");
      fs.writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
      await this.read(["stack", "import", "-s", this.stack, "--file", file]);
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  }

  private get backend(): string {
    return this.session.PULUMI_BACKEND_URL ?? process.env.PULUMI_BACKEND_URL ?? "";
  }

  /** In which pulumi and kubectl work on the stack. */
  get env(): NodeJS.ProcessEnv {
    // The log of events is the automation API's own channel; the command line offers it under the last of these.
    const own = { [RUN_MARKER]: this.backend, PULUMI_DEBUG_COMMANDS: "true" };
    const env: NodeJS.ProcessEnv = { ...process.env, ...this.session, ...own };
    if (!this.session.PULUMI_CONFIG_PASSPHRASE_FILE) return withPassphrase(env, this.stack);
    // One in the environment would hide the cluster's own.
    delete env.PULUMI_CONFIG_PASSPHRASE;
    return env;
  }
}

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly inputs?: { path?: string; metadata?: { name?: string; namespace?: string } };
}

interface Deployment {
  readonly secrets_providers?: SecretsProvider;
  readonly resources?: readonly Resource[];
  readonly pending_operations?: readonly { readonly type: string; readonly resource: Resource }[];
}

interface State {
  readonly deployment?: Deployment;
}

/** Takes what may have been created for created: a refresh then finds it by its id, or drops it again. */
export function withCreated(deployment: Deployment): Deployment {
  const { resources = [], pending_operations: pending = [] } = deployment;
  const known = new Set(resources.map(({ urn }) => urn));
  const created = pending.flatMap(({ type, resource }) => {
    const id = type === "creating" && !known.has(resource.urn) ? idOf(resource) : undefined;
    return id ? [{ ...resource, id }] : [];
  });
  return { ...deployment, resources: [...resources, ...created], pending_operations: [] };
}

/**
 * The id under which its provider would know it; names are decided before that. Of what is in Vault only a mount has to be
 * found again: everything else is written anew where it exists.
 */
function idOf({ type, inputs }: Resource): string | undefined {
  if (type === "vault:index/mount:Mount") return inputs?.path;
  const { name, namespace } = inputs?.metadata ?? {};
  if (!type.startsWith("kubernetes:") || !name) return undefined;
  return namespace ? `${namespace}/${name}` : name;
}

interface LockHolder {
  readonly pid: number;
  readonly hostname: string;
}

function holderOf(file: string): LockHolder | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as LockHolder;
  } catch {
    return undefined;
  }
}

/** Whether the process that took the lock still runs. A lock of another host cannot be judged here: it counts. */
function isHeld(file: string): boolean {
  if (!fs.existsSync(file)) return false;
  const holder = holderOf(file);
  if (!holder) return false;
  return holder.hostname !== os.hostname() || isPulumi(holder.pid);
}
