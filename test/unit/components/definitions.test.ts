import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { applyDefinitions } from "../../../components/lib/definitions";
import { readKubeconfig } from "../../../components/lib/kubeconfig";
import { FakeCluster, json } from "./fakeCluster";

const URL = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const LIST = `${URL}?labelSelector=platform%2Fdefinition`;
const ESTABLISHED = { status: { conditions: [{ type: "Established", status: "True" }] } };
const NAMES = ["lakes.example.org", "rivers.example.org"];

interface Applied {
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly spec: unknown;
}

describe("definitions of custom resources", () => {
  let dir: string;
  let cluster: FakeCluster;
  let applied: Record<string, Applied>;

  /** The answer to applying it, and to each later look. */
  const serve = (name: string, answers: readonly object[] = [ESTABLISHED]): void => {
    const left = [...answers];
    const answer = (): string => JSON.stringify(left.length > 1 ? left.shift() : left[0]);
    cluster.handlers[`${URL}/${name}?fieldManager=platform&force=true`] = (request: IncomingMessage, response) => {
      assert.deepEqual([request.method, request.headers["content-type"]], ["PATCH", "application/apply-patch+yaml"]);
      void text(request).then((body) => {
        applied[name] = JSON.parse(body) as Applied;
        response.end(answer());
      });
    };
    cluster.handlers[`${URL}/${name}`] = (_, response) => response.end(answer());
  };
  const write = (name: string, spec: object = {}): string => {
    const file = join(dir, `${name}.json`);
    writeFileSync(file, JSON.stringify({ metadata: { name, labels: { own: "label" } }, spec }));
    return file;
  };
  const apply = (files: readonly string[]): Promise<string[]> =>
    applyDefinitions(readKubeconfig(cluster.kubeconfig()), files);

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "definitions-"));
    cluster = await FakeCluster.start(dir);
    cluster.handlers[LIST] = json({ items: [] });
    applied = {};
  });
  afterEach(async () => {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it("are not asked for where there is none to bring: whoever asks may be a deployer, who may not", async () => {
    cluster.handlers[LIST] = () => assert.fail("the cluster was asked");
    assert.deepEqual(await apply([]), []);
  });

  it("are brought where they are missing, with their own labels and one that tells their version", async () => {
    for (const name of NAMES) serve(name);
    assert.deepEqual(await apply(NAMES.map((name) => write(name, { name }))), NAMES);
    assert.deepEqual(
      NAMES.map((name) => applied[name]?.spec),
      NAMES.map((name) => ({ name })),
    );
    const [lakes, rivers] = NAMES.map((name) => applied[name]?.metadata.labels ?? {});
    assert.equal(lakes?.own, "label");
    assert.match(lakes["platform/definition"] ?? "", /^[0-9a-f]{16}$/);
    assert.notEqual(lakes["platform/definition"], rivers?.["platform/definition"]);
  });

  it("are left alone where they have not changed, and brought again where they have", async () => {
    for (const name of NAMES) serve(name);
    const files = NAMES.map((name) => write(name));
    await apply(files);
    cluster.handlers[LIST] = json({ items: Object.values(applied) });
    assert.deepEqual(await apply(files), []);
    write("lakes.example.org", { scope: "Cluster" });
    assert.deepEqual(await apply(files), ["lakes.example.org"]);
  });

  it("are waited for until the cluster serves them", async () => {
    const pending = { status: { conditions: [{ type: "Established", status: "False" }] } };
    serve("lakes.example.org", [{}, pending, pending, ESTABLISHED]);
    assert.deepEqual(await apply([write("lakes.example.org")]), ["lakes.example.org"]);
  });

  it("are missed with the status where the identity may not write them", async () => {
    cluster.handlers[`${URL}/lakes.example.org?fieldManager=platform&force=true`] = (_, response) =>
      response.writeHead(403).end("{}");
    await assert.rejects(apply([write("lakes.example.org")]), /403 to .*lakes\.example\.org/);
  });
});
