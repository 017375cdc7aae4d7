import * as fs from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { authority, certificate } from "../../../sandbox/pki";

interface Metadata {
  name: string;
  resourceVersion: string;
  labels: Record<string, string | null>;
  annotations: Record<string, string | null>;
}

interface Thing {
  readonly kind: string;
  readonly metadata: Metadata;
}

interface Rule {
  readonly resources?: unknown;
  readonly resourceNames?: unknown;
  readonly verbs?: unknown;
}

type Kind = "pods" | "configmaps";

const includes = (list: unknown, item: string): boolean => Array.isArray(list) && list.includes(item);

/** As much of an API server as Patroni uses: pods and ConfigMaps of one namespace, with versions, watches and a Role. */
export class FakeKubernetes {
  readonly things: Record<Kind, Map<string, Thing>> = { pods: new Map(), configmaps: new Map() };
  /** What was asked beyond the Role. */
  readonly forbidden: string[] = [];
  /** Nobody gets an answer. */
  away = false;
  private version = 1;
  private readonly watchers = new Set<{ kind: Kind; response: ServerResponse }>();
  private readonly server: https.Server;

  private constructor(
    private readonly dir: string,
    private readonly rules: readonly Rule[],
  ) {
    const ca = authority(dir, "api-ca", "API of the tests");
    const pair = certificate(dir, "api", ca, { commonName: "api", names: ["IP:127.0.0.1"] });
    this.server = https.createServer(
      { key: fs.readFileSync(pair.key), cert: fs.readFileSync(pair.cert) },
      (request, response) => this.handle(request, response),
    );
    this.caFile = ca.cert;
  }

  private readonly caFile: string;

  static async start(dir: string, rules: readonly Rule[]): Promise<FakeKubernetes> {
    const fake = new FakeKubernetes(dir, rules);
    await new Promise<void>((done) => fake.server.listen(0, "127.0.0.1", done));
    return fake;
  }

  /** Writes a kubeconfig and names it. */
  kubeconfig(): string {
    const file = path.join(this.dir, "kubeconfig");
    const server = `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    const config = {
      clusters: [{ name: "fake", cluster: { server, "certificate-authority": this.caFile } }],
      users: [{ name: "pod", user: { token: "token" } }],
      contexts: [{ name: "fake", context: { cluster: "fake", user: "pod" } }],
      "current-context": "fake",
    };
    fs.writeFileSync(file, JSON.stringify(config), { mode: 0o644 });
    return file;
  }

  put(kind: Kind, name: string, labels: Record<string, string>): void {
    const metadata = { name, labels: { ...labels }, annotations: {}, resourceVersion: this.next() };
    const thing = { kind: kind === "pods" ? "Pod" : "ConfigMap", metadata };
    const type = this.things[kind].has(name) ? "MODIFIED" : "ADDED";
    this.things[kind].set(name, thing);
    this.tell(kind, type, thing);
  }

  annotation = (name: string, key: string): string | undefined =>
    this.things.configmaps.get(name)?.metadata.annotations[key] ?? undefined;

  annotate(name: string, key: string, value: string): void {
    const thing = this.things.configmaps.get(name);
    if (thing) thing.metadata.annotations[key] = value;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(() => done()));
  }

  /** From now on nobody gets an answer, or everybody again. */
  setAway(away: boolean): void {
    this.away = away;
    if (away) this.server.closeAllConnections();
  }

  private next = (): string => String(++this.version);

  private tell(kind: Kind, type: string, object: Thing): void {
    for (const watcher of this.watchers)
      if (watcher.kind === kind) watcher.response.write(`${JSON.stringify({ type, object })}\n`);
  }

  private may(verb: string, kind: string, name?: string): boolean {
    return this.rules.some(
      ({ resources, resourceNames, verbs }) =>
        includes(resources, kind) && includes(verbs, verb) && (!resourceNames || includes(resourceNames, name ?? "")),
    );
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.away) return void request.socket.destroy();
    const url = new URL(request.url ?? "", "https://fake");
    const [, kind = "", name] = /^\/api\/v1\/namespaces\/[^/]+\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const watch = url.searchParams.get("watch") !== null;
    const verbs: Record<string, string> = {
      GET: name ? "get" : watch ? "watch" : "list",
      PATCH: "patch",
      POST: "create",
    };
    const verb = verbs[request.method ?? ""] ?? "unknown";
    if (!this.may(verb, kind, name)) {
      this.forbidden.push(`${verb} ${kind} ${name ?? ""}`.trim());
      return void response.writeHead(403).end("{}");
    }
    if (verb === "patch") return this.patch(request, response, kind as Kind, name ?? "");
    if (verb === "watch") return this.watch(response, kind as Kind);
    const things = this.things[kind as Kind];
    const found = name
      ? things.get(name)
      : { metadata: { resourceVersion: String(this.version) }, items: [...things.values()] };
    response.writeHead(found ? 200 : 404).end(JSON.stringify(found ?? {}));
  }

  /** Those who list and watch at once miss nothing: nothing is awaited between. */
  private watch(response: ServerResponse, kind: Kind): void {
    const watcher = { kind, response };
    this.watchers.add(watcher);
    response.on("close", () => this.watchers.delete(watcher));
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const object of this.things[kind].values())
      response.write(`${JSON.stringify({ type: "MODIFIED", object })}\n`);
  }

  private patch(request: IncomingMessage, response: ServerResponse, kind: Kind, name: string): void {
    let text = "";
    request.on("data", (data: Buffer) => (text += data.toString()));
    request.on("end", () => {
      const thing = this.things[kind].get(name);
      if (!thing) return void response.writeHead(404).end("{}");
      const { metadata } = JSON.parse(text) as { metadata: Partial<Metadata> };
      const { resourceVersion } = metadata;
      if (resourceVersion && resourceVersion !== thing.metadata.resourceVersion)
        return void response.writeHead(409).end("{}");
      for (const part of ["labels", "annotations"] as const)
        for (const [key, value] of Object.entries(metadata[part] ?? {}))
          if (value === null) delete thing.metadata[part][key];
          else thing.metadata[part][key] = value;
      thing.metadata.resourceVersion = this.next();
      this.tell(kind, "MODIFIED", thing);
      response.end(JSON.stringify(thing));
    });
  }
}
