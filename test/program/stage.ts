import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import type { Recording } from "../unit/components/recorder";
import { FakeCluster, json } from "../unit/components/fakeCluster";

const ROOT = join(__dirname, "../..");
export const STACKS = ["dev", "qa", "prod"] as const;
/** Contents that must show up nowhere. */
export const KEY = "key-of-the-registry";

export interface Run extends Recording {
  readonly error?: string;
}

interface App {
  readonly source?: string;
  readonly from?: string;
  readonly port: number;
  readonly redis?: boolean;
  readonly expose?: boolean;
}

export const appsOf = (stack: string): Record<string, App> => {
  const file = parse(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8")) as { config: Record<string, unknown> };
  return (file.config["platform:apps"] ?? {}) as Record<string, App>;
};

/** A cluster that answers, a target file, and applications' sources that never change: all the program looks at. */
export class Stage {
  private constructor(
    readonly dir: string,
    readonly cluster: FakeCluster,
  ) {}

  static async set(): Promise<Stage> {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), "program-")));
    const stage = new Stage(dir, await FakeCluster.start(join(dir, "cluster")));
    for (const stack of STACKS) {
      for (const [name, { source, expose }] of Object.entries(appsOf(stack))) {
        if (source) stage.write(`${source}/Dockerfile`, "FROM scratch\n");
        const service = json({ status: { loadBalancer: { ingress: [{ ip: "192.0.2.10" }] } } });
        if (expose) stage.cluster.handlers[`/api/v1/namespaces/${stack}-apps/services/${name}`] = service;
      }
    }
    return stage;
  }

  async strike(): Promise<void> {
    await this.cluster.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  run(stack: string, { clusterUid = this.cluster.uid, releases = recorded(stack) }: RunOptions = {}): Promise<Run> {
    const env = {
      ...process.env,
      ...this.cluster.kubeconfig(),
      PLATFORM_TARGET: this.target(stack, clusterUid),
      PLATFORM_CONTEXT: "",
    };
    const argv = [
      "--require",
      require.resolve("tsx/cjs"),
      join(__dirname, "child.ts"),
      stack,
      JSON.stringify(releases),
    ];
    return new Promise((done, fail) => {
      const child = spawn(process.execPath, argv, { cwd: this.dir, env, stdio: ["ignore", "pipe", "pipe"] });
      let out = "";
      let err = "";
      child.stdout.on("data", (data: Buffer) => (out += data.toString()));
      child.stderr.on("data", (data: Buffer) => (err += data.toString()));
      child.on("error", fail);
      child.on("close", () => {
        try {
          done(JSON.parse(this.steady(out)) as Run);
        } catch {
          fail(new Error(`the program for ${stack} ended without a word: ${err || out.slice(0, 500)}`));
        }
      });
    });
  }

  /** What differs from run to run stands in by what it is. */
  private steady(text: string): string {
    return text
      .replaceAll(this.dir, "/stage")
      .replaceAll(new URL(this.cluster.url).host, "cluster.example:6443")
      .replaceAll(this.cluster.caData, "[cluster CA]");
  }

  private write(file: string, text: string): string {
    const full = join(this.dir, file);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  }

  private target(stack: string, clusterUid: string | undefined): string {
    const image = (name: string): string => `images.example/${name}:1.0.0@sha256:${"0".repeat(64)}`;
    const registry = {
      host: `registry.${stack}-registry.svc.cluster.local`,
      pushHost: "192.0.2.1",
      address: "192.0.2.1",
      certificateFile: this.write("registry.crt", "certificate of the registry"),
      keyFile: this.write("registry.key", KEY),
    };
    const target = {
      description: "the cluster of the tests",
      clusterUid,
      images: Object.fromEntries(["redis", "registry", "node", "busybox"].map((name) => [name, image(name)])),
      dockerHost: `unix://${this.dir}/docker.sock`,
      buildCa: `${this.dir}/ca.crt`,
      registries: { [stack]: registry },
    };
    return this.write(`target-${stack}.json`, JSON.stringify(target));
  }
}

interface RunOptions {
  readonly clusterUid?: string;
  readonly releases?: object;
}

/** What the stage before this one would have recorded, once copied to where this one pulls from. */
function recorded(stack: string): object {
  const image = (name: string): string =>
    `registry.${stack}-registry.svc.cluster.local/${name}:0123456789ab@sha256:${"1".repeat(64)}`;
  return Object.fromEntries(Object.keys(appsOf(stack)).map((name) => [name, { image: image(name) }]));
}
