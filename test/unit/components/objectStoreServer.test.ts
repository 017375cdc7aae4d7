import assert from "node:assert/strict";
import * as tls from "node:tls";
import type { AppBucket } from "../../../components/objectStore/settings";
import { objectStore as dashboard } from "../../../components/monitoring/dashboards/objectStore";
import { objectStoreWatched } from "../../../components/monitoring/subjects/objectStore";
import { ObjectStorePod, type Reply } from "./objectStorePod";
import { metricsOf } from "./monitoring/promql";
import { until } from "./redisPods";

const BUCKETS: Readonly<Record<string, AppBucket>> = {
  site: { name: "files", access: "read", load: ["load"] },
  shop: { name: "orders", access: "write" },
};

describe("an object store: the real server behind its front, and its keeper", function () {
  this.timeout(60_000);
  let pod: ObjectStorePod;
  before(async function () {
    const made = await ObjectStorePod.make();
    if (!made) return this.skip();
    pod = made;
    pod.start();
    await until("it serves", async () => (await status("/minio/health/cluster/read")) === 200, 30_000);
    await pod.keep(BUCKETS);
    await until("all is as declared", pod.isKept, 30_000);
  });
  after(() => pod?.end());
  afterEach(function () {
    if (this.currentTest?.state === "failed") console.log(pod.log.slice(-3000));
  });

  const status = (path: string, method?: string): Promise<number> =>
    pod.inside(path, method).then(
      (reply) => reply.status,
      () => 0,
    );
  const as = (
    user: string,
    method: string,
    path: string,
    more: { body?: string; query?: Record<string, string> } = {},
  ): Promise<Reply> => pod.as(user, { method, path, ...more });
  const code = async (reply: Promise<Reply>): Promise<string> => {
    const { status: found, body } = await reply;
    return /<Code>(\w+)/.exec(body.toString())?.[1] ?? String(found);
  };

  it("[004.13] lets a reader read its bucket, and nothing else", async () => {
    assert.equal(await code(as("load-site", "PUT", "/files/a.txt", { body: "hello" })), "200");
    assert.equal((await as("app-site", "GET", "/files/a.txt")).body.toString(), "hello");
    assert.equal((await as("app-site", "HEAD", "/files/a.txt")).status, 200);
    assert.equal(await code(as("app-site", "GET", "/files/none")), "NoSuchKey");
    for (const [method, path] of [
      ["PUT", "/files/b.txt"],
      ["DELETE", "/files/a.txt"],
      ["GET", "/files"],
      ["DELETE", "/files"],
      ["PUT", "/more"],
      ["GET", "/"],
      ["GET", "/orders/a.txt"],
      ["PUT", "/orders/a.txt"],
    ] as const)
      if (path !== "/") assert.equal(await code(as("app-site", method, path)), "AccessDenied", `${method} ${path}`);
    assert.doesNotMatch((await as("app-site", "GET", "/")).body.toString(), /orders/);
  });

  it("lets what loads a bucket put something there, and take nothing away", async () => {
    assert.equal(await code(as("load-site", "PUT", "/files/c.txt", { body: "x" })), "200");
    for (const [method, path] of [
      ["DELETE", "/files/c.txt"],
      ["PUT", "/orders/c.txt"],
    ] as const)
      assert.equal(await code(as("load-site", method, path)), "AccessDenied", `${method} ${path}`);
  });

  it("lets a writer do all with the objects of its bucket, whatever their names", async () => {
    for (const name of ["plain", "with%20space", "a/b/c", "100%25", "%C3%BC"]) {
      assert.equal(await code(as("app-shop", "PUT", `/orders/${name}`, { body: name })), "200", name);
      assert.equal((await as("app-shop", "GET", `/orders/${name}`)).body.toString(), name);
    }
    assert.match(
      (await as("app-shop", "GET", "/orders", { query: { "list-type": "2" } })).body.toString(),
      /<Key>100%/,
    );
    assert.equal((await as("app-shop", "DELETE", "/orders/plain")).status, 204);
    assert.equal(await code(as("app-shop", "GET", "/files/a.txt")), "AccessDenied");
    assert.equal(await code(as("app-shop", "DELETE", "/orders")), "AccessDenied");
  });

  it("[004.5] refuses a client without a certificate, and one with a certificate of the platform's other authority", async () => {
    await assert.rejects(pod.ask({ path: "/files/a.txt" }), /certificate required|ECONNRESET/);
    const stranger = pod.client(pod.platform, "stranger");
    await assert.rejects(pod.ask({ path: "/files/a.txt", as: stranger }), /unknown ca|ECONNRESET/);
    assert.equal(await code(pod.ask({ path: "/files/a.txt", as: pod.client(pod.clients, "web") })), "AccessDenied");
  });

  it("refuses a wrong password, and who has none of MinIO's own rights", async () => {
    assert.equal(
      await code(pod.as("app-site", { method: "GET", path: "/files/a.txt", password: "no" })),
      "SignatureDoesNotMatch",
    );
    assert.equal((await as("app-site", "GET", "/minio/admin/v3/list-canned-policies")).status, 403);
    assert.equal((await as("app-site", "GET", "/minio/metrics/v3")).status, 404);
    assert.equal((await as("app-site", "GET", "//MinIO/metrics/v3")).status, 404);
  });

  it("tells inside whether it lives and its metrics, to those who only ask, and nothing else", async () => {
    const { status: found, body } = await pod.inside("/minio/metrics/v3");
    assert.equal(found, 200);
    const peer = { name: "p", namespace: "n", selector: {} };
    const { rules = [] } = objectStoreWatched({ peer, port: 1, servers: 1 });
    const shown = dashboard.panels.flatMap(({ queries }) => Object.values(queries));
    const asked = [...rules.map(({ expr }) => expr), ...shown].flatMap(metricsOf);
    // Of faults of its own it tells once there was one.
    const metrics = [...new Set(asked)].filter((name) => name !== "up" && !/5xx/.test(name));
    assert.ok(metrics.length > 6);
    for (const metric of metrics) assert.match(body.toString(), new RegExp(`^${metric}[ {]`, "m"));
    assert.match(body.toString(), /^minio_api_requests_total\{name="GetObject"/m);
    for (const path of ["/files/a.txt", "/minio/admin/v3/info", "/metrics", "/minio/v2/metrics/cluster"])
      assert.equal(await status(path), 404, path);
    assert.equal(await status("/minio/metrics/v3", "POST"), 404);
  });

  it("[004.13] follows a password that was changed, and forgets the old one", async () => {
    pod.login("app-site", "another-password-of-the-site");
    await until("it is followed", async () => {
      const reply = pod.as("app-site", {
        method: "GET",
        path: "/files/a.txt",
        password: "another-password-of-the-site",
      });
      return (await code(reply)) === "200";
    });
    assert.equal(await code(as("app-site", "GET", "/files/a.txt")), "SignatureDoesNotMatch");
    pod.login("app-site");
    await until("back again", async () => (await code(as("app-site", "GET", "/files/a.txt"))) === "200");
  });

  it("makes again what a hand undid", async () => {
    const query = { name: "app-site" };
    const wide = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: ["s3:*"], Resource: ["arn:aws:s3:::*"] }],
    });
    const changed = pod.as("administrator", {
      method: "PUT",
      path: "/minio/admin/v3/add-canned-policy",
      query,
      body: wide,
    });
    assert.equal((await changed).status, 200);
    assert.equal(await code(as("app-site", "GET", "/orders/100%25")), "200");
    await until(
      "it is narrow again",
      async () => (await code(as("app-site", "GET", "/orders/100%25"))) === "AccessDenied",
    );
  });

  it("is not ready while a password is missing, and says why", async () => {
    await pod.keep({ ...BUCKETS, more: { name: "more", access: "write" } });
    await until("all is as declared", pod.isKept, 20_000);
    pod.forget("app-more");
    await until("it is not ready", async () => !(await pod.isKept()));
    assert.match(pod.log, /not yet as declared: .*app-more/);
    assert.doesNotMatch(pod.log, /password-of/);
  });

  it("takes away users whom nobody declares any more, and leaves what they wrote", async () => {
    await pod.keep({ site: BUCKETS.site as AppBucket });
    await until("all is as declared", pod.isKept, 20_000);
    assert.equal(await code(as("app-shop", "GET", "/orders/100%25")), "InvalidAccessKeyId");
    await pod.keep(BUCKETS);
    await until("all is as declared", pod.isKept, 20_000);
    assert.equal((await as("app-shop", "GET", "/orders/100%25")).body.toString(), "100%25");
  });

  it("[004.6] shows a renewed certificate without a restart", async () => {
    const shown = (): Promise<string> =>
      new Promise((done, fail) => {
        const socket = tls.connect({ port: pod.ports.clients, host: "localhost", rejectUnauthorized: false }, () => {
          done(socket.getPeerCertificate().fingerprint256);
          socket.destroy();
        });
        socket.on("error", fail);
      });
    const before = await shown();
    pod.certify();
    await until("another one is shown", async () => (await shown()) !== before, 20_000);
    await until("it serves with it", async () => (await code(as("app-site", "GET", "/files/a.txt"))) === "200");
  });

  it("has all that was written after it was killed", async () => {
    await pod.stop("minio", "SIGKILL");
    pod.start();
    await until(
      "it serves",
      async () => (await code(as("app-site", "GET", "/files/a.txt")).catch(() => "")) === "200",
      30_000,
    );
  });
});
