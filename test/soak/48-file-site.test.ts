import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { askVault, deployerToken, readKept } from "../../checks/vault";
import { picture } from "../../apps/file-site/src/gif";
import {
  APP,
  APPS,
  DATA,
  FileSiteScene,
  STACK,
  STORE,
  heardWithAnotherCertificate,
  whileListening,
} from "./fileSiteScene";
import { type Forwarded, forward } from "../live/forward";
import { apply, broughtUp, canConnect, eventually, get, isReady, kubectl, testPod, tryKubectl } from "../live/world";

const SERVER = "object-store-0";
const STRANGER = "file-stranger";
const PICTURE = "/picture.gif";
const HASH = createHash("sha256").update(picture()).digest("hex");
const SITE_PODS = ["-n", APPS, "-l", `app.kubernetes.io/name=${APP},app.kubernetes.io/component=app`];

describe("file site: a bucket of the object store, through the edge", function () {
  this.timeout(900_000);
  let scene: FileSiteScene;

  before(async () => {
    await broughtUp();
    scene = await FileSiteScene.make();
    await scene.up({ mode: "standalone", storage: "1Gi" });
  });
  after(async () => {
    await tryKubectl(["delete", "pod", STRANGER, "-n", APPS, "--force", "--grace-period=0", "--ignore-not-found"]);
    await scene?.end();
  });

  const same = async (): Promise<void> => {
    const { status, headers, body } = await scene.ask(PICTURE);
    assert.deepEqual([status, headers["content-type"]], [200, "image/gif"], body.toString("utf8", 0, 200));
    assert.equal(createHash("sha256").update(body).digest("hex"), HASH);
  };
  const loaded = async (): Promise<string> => {
    const { items } = JSON.parse(
      await kubectl(["get", "pods", "-n", APPS, "-l", "app.kubernetes.io/component=loader", "-o", "json"]),
    ) as { items: { metadata: { name: string } }[] };
    return (await Promise.all(items.map(({ metadata }) => kubectl(["logs", "-n", APPS, metadata.name])))).join("");
  };
  const uids = (...where: string[]): Promise<string> =>
    kubectl(["get", "pods", ...where, "-o", "jsonpath={.items[*].metadata.uid}"]);

  it("[004.4] [004.8] [004.16] serves the source's own picture after one update of an environment without a store", async () => {
    assert.ok(picture().length > 2 ** 20);
    await same();
    assert.match(await loaded(), /picture\.gif is loaded/);
  });

  it("[004.4] gives parts of it, and nothing where nothing changed", async () => {
    const part = await scene.ask(PICTURE, { range: "bytes=0-5" });
    assert.deepEqual([part.status, part.body.toString()], [206, "GIF89a"]);
    assert.equal(part.headers["content-range"], `bytes 0-5/${picture().length}`);
    const beyond = await scene.ask(PICTURE, { range: `bytes=${picture().length}-` });
    assert.deepEqual([beyond.status, beyond.headers["content-range"]], [416, `bytes */${picture().length}`]);
    const known = await scene.ask(PICTURE, { "if-none-match": String(part.headers.etag) });
    assert.deepEqual([known.status, known.body.length], [304, 0]);
    const head = await scene.ask(PICTURE, {}, "HEAD");
    assert.deepEqual([head.status, head.headers["content-length"]], [200, String(picture().length)]);
  });

  it("says what it has not, and what it does not do", async () => {
    for (const [where, method, status] of [
      ["/none.gif", "GET", 404],
      ["/%2e%2e/orders", "GET", 404],
      ["/metrics", "GET", 404],
      [PICTURE, "PUT", 405],
      [PICTURE, "DELETE", 405],
    ] as const)
      assert.equal((await scene.ask(where, {}, method)).status, status, `${method} ${where}`);
  });

  it("[004.5] [004.8] [004.13] holds what verify looks at", () => scene.verified());

  it("[004.8] changes nothing in a second update, and loads nothing twice where the load is asked for again", async () => {
    await scene.unchanged();
    const before = (await scene.ask(PICTURE)).headers["last-modified"];
    await kubectl(["delete", "job", `${APP}-loader`, "-n", APPS, "--wait=true"]);
    await scene.update("--refresh");
    assert.match(await loaded(), /picture\.gif was there already/);
    assert.equal((await scene.ask(PICTURE)).headers["last-modified"], before);
    await scene.unchanged();
  });

  it("[004.5] refuses a certificate of the platform's authority, which every server has", async () => {
    assert.match(await heardWithAnotherCertificate(), /UNKNOWN_CA|ECONNRESET/);
  });

  it("[004.5] shows nothing in plain text between site and store on the wire", async function () {
    if (spawnSync("nsenter", ["--version"]).status !== 0 || spawnSync("python3", ["--version"]).status !== 0) {
      console.log("      skipped: needs nsenter and python3 on this machine");
      this.skip();
    }
    const seen = await whileListening([3000, 9000], async () => {
      for (let round = 0; round < 5; round++) await same();
    });
    // What comes in from the edge is readable: the ear is good.
    assert.ok((seen[3000]?.plain ?? 0) >= 5, JSON.stringify(seen));
    assert.ok((seen[9000]?.tls ?? 0) >= 5, JSON.stringify(seen));
    assert.equal(seen[9000]?.plain, 0, JSON.stringify(seen));
  });

  it("[004.15] is out of reach for a pod that is not connected to it, and so is the store", async () => {
    await apply(await testPod(STRANGER, APPS));
    await isReady(STRANGER, APPS);
    const address = (await kubectl(["get", "pods", ...SITE_PODS, "-o", "jsonpath={.items[0].status.podIP}"])).trim();
    assert.equal(await canConnect(APPS, STRANGER, address, 3000), false);
    const server = (await kubectl(["get", "pod", SERVER, "-n", DATA, "-o", "jsonpath={.status.podIP}"])).trim();
    for (const [host, port] of [
      [STORE, 9000],
      [server, 9000],
      [server, 9001],
      [server, 9002],
    ] as const)
      assert.equal(await canConnect(APPS, STRANGER, host, port), false, `${host}:${port}`);
  });

  it("[004.11] is scaled by an autoscaler that keeps its CPU at 60 percent", async () => {
    const { spec } = JSON.parse(await kubectl(["get", "hpa", APP, "-n", APPS, "-o", "json"])) as {
      spec: { metrics: { resource: { target: { averageUtilization: number } } }[] };
    };
    assert.deepEqual(
      spec.metrics.map(({ resource }) => resource.target.averageUtilization),
      [60],
    );
    // It knows how much that is at the moment, without which it would never scale.
    await eventually(async () => {
      const now = await kubectl([
        "get",
        "hpa",
        APP,
        "-n",
        APPS,
        "-o",
        "jsonpath={.status.currentMetrics[0].resource.current}",
      ]);
      assert.match(now, /averageUtilization/);
    }, 180_000);
  });

  it("has its objects after the store was killed, and serves again by itself", async () => {
    const before = await uids(...SITE_PODS);
    await kubectl(["delete", "pod", SERVER, "-n", DATA, "--force", "--grace-period=0"]);
    const start = Date.now();
    await eventually(same, 180_000);
    console.log(`      served again ${Math.round((Date.now() - start) / 1000)} s after the store was killed`);
    assert.equal(await uids(...SITE_PODS), before);
  });

  it("[004.6] goes on with certificates that were issued anew, and nothing restarts", async () => {
    const before = [await uids(...SITE_PODS), await uids("-n", DATA, "-l", "app.kubernetes.io/component=object-store")];
    for (const [name, namespace] of [
      [`${APP}-client`, APPS],
      ["object-store-keeper-client", DATA],
      ["object-store-tls", DATA],
    ] as const) {
      const serial = (): Promise<string> =>
        kubectl(["get", "secret", name, "-n", namespace, "-o", "jsonpath={.data.tls\\.crt}"]);
      const old = await serial();
      await kubectl(["delete", "secret", name, "-n", namespace]);
      await eventually(async () => assert.notEqual(await serial(), old), 60_000);
      await kubectl(["wait", "--for=condition=Ready", `certificate/${name}`, "-n", namespace, "--timeout=60s"]);
    }
    // The kubelet brings them within about a minute and a half.
    await eventually(() => scene.verified(), 180_000);
    await eventually(same, 120_000);
    assert.deepEqual(
      [await uids(...SITE_PODS), await uids("-n", DATA, "-l", "app.kubernetes.io/component=object-store")],
      before,
    );
    await scene.unchanged();
  });

  it("[004.13] [003.17] follows a key that was changed in Vault alone", async () => {
    const stand = await scene.stand();
    const token = await deployerToken(stand);
    const place = `object-store/app-${APP}`;
    const kept = await readKept(stand, token, place);
    const [property = ""] = Object.keys(kept);
    const changed = { [property]: `${kept[property]}-changed` };
    const { status } = await askVault(stand, "POST", `kv/data/${place}`, token, { data: changed });
    assert.equal(status, 200);
    const restarts = async (): Promise<number> => {
      const counts = await kubectl([
        "get",
        "pods",
        ...SITE_PODS,
        "-o",
        "jsonpath={.items[*].status.containerStatuses[0].restartCount}",
      ]);
      return counts.split(" ").reduce((sum, each) => sum + Number(each), 0);
    };
    const before = await restarts();
    // The store takes the new key, the site's container ends by that, and begins anew with it.
    await eventually(async () => assert.ok((await restarts()) > before, "no container began anew"), 300_000);
    await eventually(same, 120_000);
    await scene.verified();
    await scene.unchanged();
  });

  describe("watched", () => {
    let prometheus: Forwarded;
    before(async () => (prometheus = await forward(`${STACK}-monitoring`, "prometheus-prometheus-0", 9090)));
    after(() => prometheus?.stop());

    it("[004.7] has series of requests, of the store and of the site", async () => {
      for (const query of [
        'sum(rate(minio_api_requests_total{job="object-store",name="GetObject"}[2m])) > 0',
        `sum(rate(http_requests_total{job="app-${APP}"}[2m])) > 0`,
        'min(up{job="object-store"}) == 1',
      ])
        await eventually(async () => {
          await same();
          const { body } = await get(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`);
          const { data } = JSON.parse(body) as { data: { result: unknown[] } };
          assert.equal(data.result.length, 1, query);
        }, 180_000);
    });
  });
});
