import assert from "node:assert/strict";
import { type EdgeClient, edgeClient } from "./edgeClient";
import { apply, broughtUp, canConnect, eventually, isReady, kubectl, testPod, tryKubectl } from "./world";

const STACK = "dev";
const APP = "plato";
const APPS = `${STACK}-apps`;
const DATA = `${STACK}-data`;
const STRANGER = "plato-stranger";
/** db1 and db2. */
const STORES = [
  { name: "redis", port: 6379 },
  { name: "postgres", port: 5432 },
];
const at = (name: string): string => `${name}.${DATA}.svc.cluster.local`;

const CONNECT = `
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).close()
except OSError:
    sys.exit(7)`;

/** From inside the application's own pod. */
async function reaches(host: string, port: number): Promise<boolean> {
  const python = ["exec", "-n", APPS, `deployment/${APP}`, "--", "python3", "-c", CONNECT, host, String(port)];
  const { code, all } = await tryKubectl(python);
  assert.ok(code === 0 || code === 7, all);
  return code === 0;
}

/** Of each of its pods, whether its Service leads there. */
async function inSlice(): Promise<string[]> {
  const slices = ["get", "endpointslices", "-n", APPS, "-l", `kubernetes.io/service-name=${APP}`];
  return (await kubectl([...slices, "-o", "jsonpath={.items[*].endpoints[*].conditions.ready}"])).split(" ");
}

const ofPods = (path: string): Promise<string> =>
  kubectl([
    "get",
    "pods",
    "-n",
    APPS,
    "-l",
    `app.kubernetes.io/name=${APP}`,
    "-o",
    `jsonpath={.items[*].status.${path}}`,
  ]);

const podsReady = async (): Promise<string[]> => (await ofPods('conditions[?(@.type=="Ready")].status')).split(" ");
const restarts = (): Promise<string> => ofPods("containerStatuses[*].restartCount");

const scale = (name: string, replicas: number): Promise<string> =>
  kubectl(["scale", `statefulset/${name}`, "-n", DATA, `--replicas=${replicas}`]);

describe("plato: a backend that is as ready as its databases", function () {
  this.timeout(600_000);
  let client: EdgeClient;

  before(async () => {
    await broughtUp();
    client = await edgeClient(STACK, APP);
    await apply(await testPod(STRANGER, APPS));
    await isReady(STRANGER, APPS);
  });
  after(async () => {
    for (const { name } of STORES) await scale(name, 1);
    await tryKubectl(["delete", "pod", STRANGER, "-n", APPS, "--wait=false"]);
  });

  const state = async (): Promise<unknown> => {
    const { status, body } = await client.ask("GET", "/readyz");
    return [status, body.ready];
  };
  const serves = async (): Promise<void> => {
    assert.deepEqual(await state(), [200, true]);
    assert.deepEqual([await podsReady(), await inSlice()], [["True"], ["true"]]);
  };

  it("counts in one of its databases how often was read what it keeps in the other", async () => {
    const made = await client.ask("POST", "/api/notes", JSON.stringify({ text: "know thyself" }));
    assert.equal(made.status, 201, made.text);
    for (const reads of [1, 2, 3]) {
      const { body } = await client.ask("GET", `/api/notes/${String(made.body.id)}`);
      assert.deepEqual([body.text, body.reads], ["know thyself", reads]);
    }
  });

  for (const { name } of STORES)
    it(`[002.1] leaves its Service while ${name} is away, and comes back with it`, async () => {
      await serves();
      const before = await restarts();
      await scale(name, 0);
      await eventually(
        async () => assert.deepEqual([await podsReady(), await inSlice()], [["False"], ["false"]]),
        60_000,
      );
      assert.equal((await client.ask("GET", "/healthz")).status, 503, "the edge has nobody to ask");
      await scale(name, 1);
      await eventually(serves, 120_000);
      assert.equal(await restarts(), before);
    });

  it("[002.2] reaches both databases, on their ports only", async () => {
    for (const { name, port } of STORES) {
      assert.equal(await reaches(at(name), port), true, name);
      for (const other of [22, 80, 9121, 9187]) assert.equal(await reaches(at(name), other), false, `${name}:${other}`);
    }
  });

  it("[002.3] reaches nothing else: not the internet, not the API server, not its neighbours", async () => {
    const places: [string, number][] = [
      ["httpforever.com", 80],
      ["1.1.1.1", 443],
      ["kubernetes.default.svc.cluster.local", 443],
      [`notes.${APPS}.svc.cluster.local`, 80],
      [`vault.${STACK}-secrets.svc.cluster.local`, 8200],
    ];
    for (const [host, port] of places) assert.equal(await reaches(host, port), false, `${host}:${port}`);
  });

  it("[002.3] is the only kind of pod here that reaches them: another does not", async () => {
    for (const { name, port } of STORES) assert.equal(await canConnect(APPS, STRANGER, at(name), port), false, name);
  });
});
