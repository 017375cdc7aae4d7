import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { type ClusterFacts, clusterFacts } from "../components/lib/cluster";
import { type PlatformConfig, decoded, parseConfig } from "../components/lib/config";
import { readKubeconfig } from "../components/lib/kubeconfig";
import { type Target, readTarget } from "../components/lib/target";
import { type Result, type RunOptions, run } from "./command";

export interface Outputs {
  readonly endpoints: Readonly<Record<string, string>>;
  readonly releases: Readonly<Record<string, { readonly image: string }>>;
  readonly edge: {
    readonly address: string;
    readonly hosts: Readonly<Record<string, string>>;
    readonly certificateAuthority: string;
  };
  readonly namespaces: Readonly<Record<string, string>>;
  readonly cluster: { readonly uid: string };
}

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** A stack that runs on its cluster, and the ways to look at it. What is asked twice is looked up once. */
export class Stand {
  /** Marks what is made by whoever holds this stand. */
  readonly run = `${randomBytes(4).toString("hex")}`;
  private readonly known = new Map<string, Promise<unknown>>();

  constructor(
    readonly stack: string,
    /** With it `pulumi` and `kubectl` work on the stack. */
    readonly env: NodeJS.ProcessEnv,
    readonly root: string,
  ) {}

  once<T>(what: string, look: () => Promise<T>): Promise<T> {
    const found = (this.known.get(what) ?? look()) as Promise<T>;
    this.known.set(what, found);
    return found;
  }

  tryKubectl(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const context = this.env.PLATFORM_CONTEXT ? ["--context", this.env.PLATFORM_CONTEXT] : [];
    return run("kubectl", [...context, ...args], { env: this.env, timeoutMs: 120_000, ...options });
  }

  async kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, out, err } = await this.tryKubectl(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ").slice(0, 200)}: ${err.trim() || `exit ${code}`}`);
    return out;
  }

  async objects<T>(kinds: string, namespace: string, more: readonly string[] = []): Promise<T[]> {
    const text = await this.kubectl(["get", kinds, "-n", namespace, "-o", "json", ...more]);
    return (JSON.parse(text) as { items: T[] }).items;
  }

  /** The objects of all namespaces of the environment. */
  async own<T>(kinds: string): Promise<T[]> {
    const { namespaces } = await this.outputs();
    return (await Promise.all(Object.values(namespaces).map((each) => this.objects<T>(kinds, each)))).flat();
  }

  pulumi(args: readonly string[]): Promise<Result> {
    const options = { env: this.env, cwd: this.root, timeoutMs: 300_000 };
    return run("pulumi", [...args, "-s", this.stack, "--non-interactive"], options);
  }

  outputs(): Promise<Outputs> {
    return this.once("outputs", async () => JSON.parse(await this.read("stack", "output", "--json")) as Outputs);
  }

  /** As a thief of the backend would find it: what is secret is encrypted. */
  state(): Promise<string> {
    return this.once("state", () => this.read("stack", "export"));
  }

  async resources(): Promise<readonly StateResource[]> {
    const { deployment } = JSON.parse(await this.state()) as { deployment: { resources?: StateResource[] } };
    return deployment.resources ?? [];
  }

  facts(): Promise<ClusterFacts> {
    return this.once("facts", () => clusterFacts(readKubeconfig(this.env)));
  }

  get target(): Target {
    return readTarget(this.env);
  }

  /** As the stack file says it. */
  get config(): PlatformConfig {
    const file = fs.readFileSync(path.join(this.root, `Pulumi.${this.stack}.yaml`), "utf8");
    const { config = {} } = parse(file) as { config?: Record<string, unknown> };
    return parseConfig(this.stack, (key) => {
      const value = config[`platform:${key}`];
      return typeof value === "string" ? decoded(value) : value;
    });
  }

  /** What answers over TLS here is trusted by the same authorities as in the shell of `npm run env`. */
  get trust(): Buffer | undefined {
    return this.env.SSL_CERT_FILE ? fs.readFileSync(this.env.SSL_CERT_FILE) : undefined;
  }

  private async read(...args: string[]): Promise<string> {
    const { code, out, all } = await this.pulumi(args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")}: ${all.trim()}`);
    return out;
  }
}
