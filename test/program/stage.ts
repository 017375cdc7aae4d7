import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { PROGRAM_IMAGES } from "../../commands/target";
import type { Recording } from "../unit/components/recorder";
import { FakeCluster, json } from "../unit/components/fakeCluster";
import { FakeRegistry } from "../unit/components/fakeRegistry";

const ROOT = join(__dirname, "../..");
export const STACKS = ["dev", "qa", "prod"] as const;
/** Contents that must show up nowhere. */
export const KEY = "key-of-the-registry";
export const AUTHORITY_KEY = "key-of-the-authority";

const DEFINITION = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "things.example.org" },
  spec: { group: "example.org", names: { kind: "Thing", plural: "things" }, scope: "Namespaced", versions: [] },
};
const PULL_PASSWORD = "generated-pull-password-of-the-stage-before";
/** What the mocks answer for the environment's own. */
const PUSH_PASSWORD = "generated-registry-push-password";
const TAG = "0123456789ab";

export interface Run extends Recording {
  /** The stacks whose outputs it read. */
  readonly asked: readonly string[];
  readonly error?: string;
}

interface App {
  readonly source?: string;
  readonly from?: string;
  readonly port: number;
  readonly redis?: boolean;
  readonly postgres?: boolean;
  readonly expose?: boolean;
  readonly host?: string;
  readonly path?: string;
}

export const appsOf = (stack: string): Record<string, App> => {
  const file = parse(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8")) as { config: Record<string, unknown> };
  return (file.config["platform:apps"] ?? {}) as Record<string, App>;
};

/** Where the stack's status page comes from, if it has one. */
export const pageOf = (
  stack: string,
): { readonly source?: string; readonly environments: readonly string[] } | undefined => {
  const file = parse(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8")) as { config: Record<string, unknown> };
  return file.config["platform:status"] as ReturnType<typeof pageOf>;
};

/**
 * A cluster that answers, registries, a target file, and applications' sources that never change: all the program looks at.
 */
export class Stage {
  private constructor(
    readonly dir: string,
    readonly cluster: FakeCluster,
    /** The registry of every earlier stage, with an image of every application. */
    readonly source: FakeRegistry,
    /** This environment's own. */
    readonly own: FakeRegistry,
  ) {
    for (const stack of STACKS) {
      for (const app of Object.keys(appsOf(stack))) this.digests[app] = source.addImage(app, TAG, [`layer of ${app}`]);
      const auths = { [registryOf(stack)]: { username: "pull", password: PULL_PASSWORD } };
      const data = { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") };
      cluster.handlers[`/api/v1/namespaces/${stack}-registry/secrets/regcred`] = (_, response) =>
        response.end(JSON.stringify({ data }));
    }
  }

  private readonly digests: Record<string, string> = {};
  /** How often a definition came to the cluster. */
  defined = 0;

  static async set(): Promise<Stage> {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), "program-")));
    const cluster = await FakeCluster.start(join(dir, "cluster"));
    const registries = [join(dir, "source"), join(dir, "own")].map((folder, index) => {
      mkdirSync(folder);
      return FakeRegistry.start(folder, cluster.ca, [[PULL_PASSWORD], [PUSH_PASSWORD]][index] ?? []);
    });
    const [source, own] = (await Promise.all(registries)) as [FakeRegistry, FakeRegistry];
    const stage = new Stage(dir, cluster, source, own);
    for (const stack of STACKS) {
      // The program looks into the files of the other stacks, where it runs.
      const file = `Pulumi.${stack}.yaml`;
      stage.write(file, readFileSync(join(ROOT, file), "utf8"));
      const page = pageOf(stack)?.source;
      if (page) stage.write(`${page}/Dockerfile`, "FROM scratch\n");
      const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
      stage.cluster.handlers[`${definitions}?labelSelector=platform%2Fdefinition`] = json({ items: [] });
      stage.cluster.handlers[`${definitions}/${DEFINITION.metadata.name}?fieldManager=platform&force=true`] = (
        request,
        response,
      ) => {
        stage.defined++;
        json({ status: { conditions: [{ type: "Established", status: "True" }] } })(request, response);
      };
      for (const [name, { source, expose }] of Object.entries(appsOf(stack))) {
        if (source) stage.write(`${source}/Dockerfile`, basesOf(source));
        const service = json({ status: { loadBalancer: { ingress: [{ ip: "192.0.2.10" }] } } });
        if (expose) stage.cluster.handlers[`/api/v1/namespaces/${stack}-apps/services/${name}`] = service;
      }
    }
    return stage;
  }

  async strike(): Promise<void> {
    await Promise.all([this.cluster.stop(), this.source.stop(), this.own.stop()]);
    rmSync(this.dir, { recursive: true, force: true });
  }

  run(
    stack: string,
    { clusterUid = this.cluster.uid, releases = this.recorded(stack), config = {}, published = [] }: RunOptions = {},
  ): Promise<Run> {
    const env = {
      ...process.env,
      ...this.cluster.kubeconfig(),
      PLATFORM_TARGET: this.target(stack, clusterUid, published),
      PLATFORM_CONTEXT: "",
      SSL_CERT_FILE: this.cluster.ca.cert,
    };
    const argv = [
      "--require",
      require.resolve("tsx/cjs"),
      join(__dirname, "child.ts"),
      stack,
      JSON.stringify(releases),
      JSON.stringify(config),
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
          // What the program logs comes before.
          done(JSON.parse(this.steady(out).split("\n").at(-1) ?? "") as Run);
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

  /** What the stage before this one would have recorded. */
  private recorded(stack: string): object {
    const entries = Object.entries(appsOf(stack)).map(([name, { from }]) => {
      const image = `${registryOf(from ?? stack)}/${name}:${TAG}@${this.digests[name]}`;
      return [name, { image }];
    });
    return Object.fromEntries(entries) as object;
  }

  private write(file: string, text: string): string {
    const full = join(this.dir, file);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  }

  private target(stack: string, clusterUid: string | undefined, published: readonly string[]): string {
    const image = (name: string): string => `images.example/${name}:1.0.0@sha256:${"0".repeat(64)}`;
    const registry = (environment: string): object => ({
      host: registryOf(environment),
      pullHost: this.source.host,
      // Only the builder of dev shows it to Pulumi.
      pushHost: environment === "dev" ? "192.0.2.1:5443" : this.own.host,
      address: "192.0.2.1",
      certificateFile: this.write("registry.crt", "certificate of the registry"),
      keyFile: this.write("registry.key", KEY),
    });
    const target = {
      description: "the cluster of the tests",
      clusterUid,
      images: Object.fromEntries([...PROGRAM_IMAGES, ...published].map((name) => [name, image(name)])),
      dockerHost: `unix://${this.dir}/docker.sock`,
      buildCa: `${this.dir}/ca.crt`,
      registries: Object.fromEntries(STACKS.map((environment) => [environment, registry(environment)])),
      vaults: { [stack]: { url: "https://192.0.2.4:8200", address: "192.0.2.4" } },
      edges: { [stack]: { address: "192.0.2.7" } },
      authority: {
        certificateFile: this.write("ca.crt", "certificate of the authority"),
        keyFile: this.write("ca.key", AUTHORITY_KEY),
      },
      definitions: [this.write("definition.json", JSON.stringify(DEFINITION))],
    };
    return this.write(`target-${stack}.json`, JSON.stringify(target));
  }
}

interface RunOptions {
  readonly clusterUid?: string;
  readonly releases?: object;
  /** In place of the stack file's values, by key. */
  readonly config?: object;
  /** Images that the target has beside those that can be built. */
  readonly published?: readonly string[];
}

/** What the real one is built on, so that a golden shows it. */
const basesOf = (source: string): string =>
  (readFileSync(join(ROOT, source, "Dockerfile"), "utf8").match(/^ARG \w+/gm) ?? []).join("\n");

const registryOf = (stack: string): string => `registry.${stack}-registry.svc.cluster.local`;
