import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Result, RunOptions } from "../../../checks/command";
import { Stand } from "../../../checks/stand";

/** What a command answers, by a part of its arguments, or by a pattern of these and what is sent: the first that fits. */
export type Answers = readonly (readonly [part: string | RegExp, out: string, code?: number])[];

interface Asked {
  readonly asked: string;
  readonly input: string;
}

const REGISTRY = "registry.dev-registry.svc.cluster.local";
export const IMAGE = `${REGISTRY}/web:1@sha256:${"a".repeat(64)}`;
const CONFIG = {
  "platform:build": "true",
  "platform:profile": { replicas: 2, spread: "hard", quota: { cpu: "8", memory: "8Gi", pods: 40 } },
  "platform:redis": { mode: "sentinel", replicas: 2 },
  "platform:edge": { domain: "dev.example" },
  "platform:apps": { web: { source: "apps/web", port: 3000 } },
};
const NAMESPACES = { secrets: "dev-secrets", registry: "dev-registry", data: "dev-data", apps: "dev-apps" };

/** A stand whose kubectl and pulumi answer what a test says, and keep what they were asked. */
export class FakeStand extends Stand {
  readonly asked: Asked[] = [];

  private constructor(
    dir: string,
    public answers: Answers,
  ) {
    super("dev", { PLATFORM_TARGET: path.join(dir, "target.json") }, dir);
  }

  /** `change` replaces single keys of the stack file. */
  static make(answers: Answers, change: object = {}): FakeStand {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stand-"));
    const registries = { dev: { host: REGISTRY } };
    const images = { busybox: "images.example/busybox:1@sha256:1" };
    fs.writeFileSync(path.join(dir, "target.json"), JSON.stringify({ description: "fake", images, registries }));
    fs.writeFileSync(path.join(dir, "Pulumi.dev.yaml"), JSON.stringify({ config: { ...CONFIG, ...change } }));
    return new FakeStand(dir, answers);
  }

  override tryKubectl(args: readonly string[], { input = "" }: RunOptions = {}): Promise<Result> {
    return this.answer(args, input);
  }

  override pulumi(args: readonly string[]): Promise<Result> {
    return this.answer(args);
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }

  private answer(args: readonly string[], input = ""): Promise<Result> {
    const asked = args.join(" ");
    this.asked.push({ asked, input });
    const fits = (part: string | RegExp): boolean =>
      typeof part === "string" ? asked.includes(part) : part.test(`${asked}\n${input}`);
    const [, text, code = 0] = this.answers.find(([part]) => fits(part)) ?? ["", '{"items":[]}'];
    return Promise.resolve({ code, out: code === 0 ? text : "", err: code === 0 ? "" : text, all: text });
  }
}

export const outputsOf = (more: object = {}): string =>
  JSON.stringify({ endpoints: {}, releases: {}, namespaces: NAMESPACES, cluster: { uid: "u" }, ...more });
