import assert from "node:assert/strict";
import * as fs from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { type Updating, updateAndMend } from "../../../commands/mending";
import type { StateResource } from "../../../drift/state";
import { FakeCluster } from "../components/fakeCluster";

const MANAGER = "pulumi-kubernetes-1";
const LIST = { resources: [{ name: "configmaps", kind: "ConfigMap", namespaced: true }] };

interface Held {
  data: Record<string, string>;
  manager: string;
}

/** ConfigMaps as a cluster has them, and what happened to them, in order. */
class Scene {
  readonly objects = new Map<string, Held>();
  readonly events: string[] = [];
  readonly said: string[] = [];
  readonly wanted = new Map<string, { data: Record<string, string>; ignoreChanges?: string[] }>();
  /** What the update changes of what the state wants. */
  updating: () => void = () => undefined;

  constructor(
    private readonly cluster: FakeCluster,
    private readonly env: NodeJS.ProcessEnv,
  ) {
    cluster.handlers["/api/v1"] = (_, response) => void response.end(JSON.stringify(LIST));
  }

  add(name: string, data: Record<string, string>, live: Held | undefined, ignoreChanges?: string[]): void {
    this.wanted.set(name, { data, ignoreChanges });
    if (live) this.objects.set(name, live);
    const url = `/api/v1/namespaces/a/configmaps/${name}`;
    const apply = `${url}?force=true&fieldManager=${MANAGER}`;
    this.cluster.handlers[url] = (_, response) => this.answer(response, name, this.objects.get(name));
    this.cluster.handlers[`${apply}&dryRun=All`] = (request, response) =>
      void this.body(request).then((held) => this.answer(response, name, held));
    this.cluster.handlers[apply] = (request, response) =>
      void this.body(request).then((held) => {
        this.events.push(`applied ${name}`);
        this.objects.set(name, held);
        this.answer(response, name, held);
      });
  }

  private async body(request: IncomingMessage): Promise<Held> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    return { data: (JSON.parse(text) as Held).data, manager: MANAGER };
  }

  private answer(response: ServerResponse, name: string, held: Held | undefined): void {
    if (!held) return void response.writeHead(404).end("{}");
    const fields = Object.fromEntries(Object.keys(held.data).map((key) => [`f:${key}`, {}]));
    const managedFields = [{ manager: held.manager, operation: "Apply", fieldsV1: { "f:data": fields } }];
    response.end(JSON.stringify({ metadata: { name, namespace: "a", managedFields }, data: held.data }));
  }

  run(code = 0): Promise<number> {
    const pulumi: Updating = {
      env: this.env,
      resources: () => Promise.resolve(this.resources()),
      refresh: (urns) => Promise.resolve(this.events.push(`refreshed ${urns.join(" ")}`) && 0),
      update: () => {
        this.events.push("updated");
        this.updating();
        return Promise.resolve(code);
      },
    };
    return updateAndMend(pulumi, {}, (line) => this.said.push(line));
  }

  private resources(): StateResource[] {
    const provider = {
      urn: "provider",
      type: "pulumi:providers:kubernetes",
      custom: true,
      inputs: { clusterIdentifier: this.cluster.uid },
    };
    const objects = [...this.wanted].map(([name, { data, ignoreChanges }]) => ({
      urn: `urn-${name}`,
      type: "kubernetes:core/v1:ConfigMap",
      custom: true,
      inputs: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "a" }, data },
      outputs: { __fieldManager: MANAGER },
      ignoreChanges,
    }));
    return [provider, ...objects];
  }
}

describe("an update that puts back what hands changed", () => {
  let dir: string;
  let cluster: FakeCluster;
  let scene: Scene;
  const ours = (data: Record<string, string>): Held => ({ data, manager: MANAGER });
  const theirs = (data: Record<string, string>): Held => ({ data, manager: "kubectl-edit" });

  before(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "mending-"));
    cluster = await FakeCluster.start(dir);
  });
  after(async () => {
    await cluster.stop();
    fs.rmSync(dir, { recursive: true });
  });
  beforeEach(() => (scene = new Scene(cluster, { ...process.env, ...cluster.kubeconfig() })));

  it("only updates where nothing differs", async () => {
    scene.add("same", { a: "1" }, ours({ a: "1" }));
    assert.equal(await scene.run(), 0);
    assert.deepEqual([scene.events, scene.said], [["updated"], []]);
  });

  it("makes what is gone before the update, and changes what differs after it", async () => {
    scene.add("changed", { a: "1" }, theirs({ a: "2" }));
    scene.add("gone", { a: "1" }, undefined);
    assert.equal(await scene.run(), 0);
    assert.deepEqual(scene.events, ["applied gone", "refreshed urn-gone", "updated", "applied changed"]);
    assert.deepEqual(scene.objects.get("changed")?.data, { a: "1" });
    assert.match(scene.said.join("\n"), /drift: ConfigMap a\/changed: data\.a is 2, .* \(by kubectl-edit\)/);
    assert.equal(scene.said.at(-1), "put back: ConfigMap changed, ConfigMap gone");
  });

  it("leaves what the program says by now, and takes back what it no longer leaves to others", async () => {
    scene.add("hotfix", { a: "1" }, theirs({ a: "2" }));
    scene.add("left", { a: "1" }, theirs({ a: "5" }), ["data.a"]);
    scene.updating = () => {
      scene.wanted.set("hotfix", { data: { a: "2" } });
      scene.wanted.set("left", { data: { a: "1" } });
    };
    assert.equal(await scene.run(), 0);
    assert.deepEqual(scene.events, ["updated", "applied left"]);
  });

  it("touches nothing more where the update failed, and no other cluster than the stack's", async () => {
    scene.add("changed", { a: "1" }, theirs({ a: "2" }));
    assert.equal(await scene.run(255), 255);
    assert.deepEqual(scene.events, ["updated"]);
    const known = cluster.handlers["/api/v1/namespaces/kube-system"];
    assert.ok(known);
    cluster.handlers["/api/v1/namespaces/kube-system"] = (_, response) =>
      void response.end('{"metadata":{"uid":"another"}}');
    scene.add("gone", { a: "1" }, undefined);
    await scene.run();
    cluster.handlers["/api/v1/namespaces/kube-system"] = known;
    assert.deepEqual(scene.events, ["updated", "updated"]);
    assert.match(scene.said.at(-1) ?? "", /refused: the stack belongs to cluster/);
  });
});
