import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import type { Fields } from "./recorder";

export const TOKEN = "token-of-the-switch";
const SELECTOR = { name: "web" };
const COLOUR = "platform/colour";
const RELEASE = "platform/release";

export interface Deployment {
  readonly metadata: { generation: number };
  readonly spec: { replicas: number; template: { metadata: { annotations?: Record<string, string> }; spec: object } };
  status: object;
}

interface Patch {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}

const json = (value: unknown): string => JSON.stringify(value);
const merged = (into: Fields, patch: Fields): Fields => {
  const entries = Object.entries(patch).map(([key, value]): [string, unknown] => {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return [key, isObject ? merged((into[key] ?? {}) as Fields, value as Fields) : value];
  });
  return Object.fromEntries(
    Object.entries({ ...into, ...Object.fromEntries(entries) }).filter(([, each]) => each !== null),
  );
};

/**
 * A cluster with one application in two colours, over HTTP on loopback: the API of its objects, pods that come up as soon as a
 * Deployment wants them, their own answers, and Prometheus.
 */
export class FakeVersions {
  readonly objects: Record<string, Fields> = {
    "services/web": { spec: { selector: SELECTOR } },
    "httproutes/web": { spec: { rules: [{ backendRefs: [{ name: "web", port: 80 }] }] } },
    "configmaps/web-release": {},
    "jobs/web-switch": { spec: { backoffLimit: 2 } },
    "cronjobs/web-tidy": { spec: { suspend: true } },
    "deployments/web-blue": this.deployment(),
    "deployments/web-green": this.deployment(),
  };
  /** What was changed, in its order. */
  readonly changes: string[] = [];
  /** What pods say of themselves beside being there. */
  podStatus: (release: string | undefined) => Fields = () => ({});
  /** Whether pods of a release come to be ready. */
  isReady: (release: string | undefined) => boolean = () => true;
  /** How a pod answers. */
  answer: (asked: string) => number = () => 200;
  /** Requests at the edge by status, as Prometheus has them after so many questions. */
  counted: (questions: number) => Record<string, number> = () => ({});
  isPrometheusUp = true;
  private questions = 0;
  private readonly server = http.createServer((request, response) => this.handle(request, response));
  private readonly app = http.createServer(({ url = "" }, response) => {
    response.writeHead(this.answer(url)).end();
  });

  async start(dir: string): Promise<void> {
    for (const server of [this.server, this.app])
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    fs.writeFileSync(path.join(dir, "token"), `${TOKEN}\n`);
    fs.writeFileSync(path.join(dir, "ca.crt"), "none, as there is no TLS");
  }

  stop(): void {
    for (const server of [this.server, this.app]) {
      server.closeAllConnections();
      server.close();
    }
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get port(): number {
    return (this.app.address() as AddressInfo).port;
  }

  of(colour: string): Deployment {
    return this.objects[`deployments/web-${colour}`] as unknown as Deployment;
  }

  get live(): string | undefined {
    return (this.objects["services/web"] as { spec: { selector: Record<string, string> } }).spec.selector[COLOUR];
  }

  get weights(): Record<string, number | undefined> {
    type Route = { spec: { rules: { backendRefs: { name: string; weight?: number }[] }[] } };
    const [rule] = (this.objects["httproutes/web"] as unknown as Route).spec.rules;
    return Object.fromEntries((rule?.backendRefs ?? []).map(({ name, weight }) => [name, weight]));
  }

  get record(): Record<string, string> {
    return (this.objects["configmaps/web-release"]?.data ?? {}) as Record<string, string>;
  }

  private deployment(): Fields {
    const spec = { replicas: 0, template: { metadata: {}, spec: {} } };
    return { metadata: { generation: 1 }, spec, status: {} };
  }

  private handle(request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(request.url ?? "", "http://fake");
    if (url.pathname === "/api/v1/query") return this.count(url, response);
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return void response.writeHead(401).end("{}");
    let body = "";
    request.on("data", (data: Buffer) => (body += data.toString()));
    request.on("end", () => {
      const key = /\/namespaces\/dev-apps\/([a-z]+(?:\/[\w-]+)?)$/.exec(url.pathname)?.[1] ?? "";
      if (key === "pods") return response.end(json({ items: this.pods(url.searchParams.get("labelSelector") ?? "") }));
      if (!this.objects[key]) return response.writeHead(404).end("{}");
      if (request.method === "PATCH") this.change(key, request.headers["content-type"] ?? "", body);
      response.end(json(this.objects[key]));
    });
  }

  private change(key: string, type: string, body: string): void {
    const object = this.objects[key] ?? {};
    if (type.startsWith("application/json-patch")) {
      const patches = JSON.parse(body) as Patch[];
      const spec = Object.fromEntries(patches.map(({ path: at, value }) => [at.replace("/spec/", ""), value]));
      this.objects[key] = { ...object, spec: { ...(object.spec as object), ...spec } };
    } else this.objects[key] = merged(object, JSON.parse(body) as Fields);
    if (key.startsWith("deployments/")) this.roll(this.objects[key] as unknown as Deployment);
    this.changes.push(key);
  }

  private roll(deployment: Deployment): void {
    const { replicas, template } = deployment.spec;
    deployment.metadata.generation++;
    const ready = this.isReady(template.metadata.annotations?.[RELEASE]) ? replicas : 0;
    const { generation: observedGeneration } = deployment.metadata;
    deployment.status = { observedGeneration, replicas, updatedReplicas: replicas, availableReplicas: ready };
  }

  private pods(labels: string): object[] {
    const colour = /platform\/colour=(\w+)/.exec(labels)?.[1] ?? "";
    const { replicas, template } = this.of(colour).spec;
    const status = { podIP: "127.0.0.1", ...this.podStatus(template.metadata.annotations?.[RELEASE]) };
    return Array.from({ length: replicas }, (_, index) => ({
      metadata: { ...template.metadata, name: `web-${colour}-${index}` },
      status,
    }));
  }

  private count(url: URL, response: http.ServerResponse): void {
    if (!this.isPrometheusUp) return void response.writeHead(503).end("starting");
    const isCodes = (url.searchParams.get("query") ?? "").includes("requests_total");
    const codes = isCodes ? this.counted(this.questions++) : {};
    const result = Object.entries(codes).map(([code, value]) => ({ metric: { code }, value: [0, String(value)] }));
    response.end(json({ status: "success", data: { result } }));
  }
}
