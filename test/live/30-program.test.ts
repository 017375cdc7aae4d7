import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { existing } from "../../sandbox/settings";
import { filesOf } from "../../sandbox/layout";
import {
  NAME,
  apply,
  broughtUp,
  canConnect,
  copyOfProject,
  eventually,
  get,
  isReady,
  kubectl,
  outputs,
  platform,
  pulumi,
  run,
  shell,
  testPod,
  tryKubectl,
} from "./world";

const STACK = "dev";
const visits = async (url: string): Promise<number> => {
  const { status, body } = await get(`${url}/api/visits`);
  assert.equal(status, 200, body);
  return (JSON.parse(body) as { visits: number }).visits;
};

describe("program: the first slice, on a real cluster", function () {
  this.timeout(900_000);
  let endpoint = "";

  before(async () => {
    await broughtUp();
    endpoint = (await outputs(STACK)).endpoints["visit-tracker"] ?? "";
  });

  it("[003.1] [000.16] counts every visit of the printed endpoint", async () => {
    const first = await visits(endpoint);
    for (let visit = 1; visit <= 3; visit++) {
      const { status, body } = await get(endpoint);
      assert.equal(status, 200);
      assert.match(body, /<html/i);
      assert.equal(await visits(endpoint), first + visit);
    }
  });

  it("[000.13] keeps the count when the Redis pod and then the application's pod are deleted", async () => {
    await get(endpoint);
    const counted = await visits(endpoint);
    await kubectl(["delete", "pod", "-n", `${STACK}-data`, "-l", "app.kubernetes.io/name=redis"]);
    await eventually(async () => assert.equal(await visits(endpoint), counted), 60_000);
    await kubectl(["delete", "pod", "-n", `${STACK}-apps`, "-l", "app.kubernetes.io/name=visit-tracker"]);
    await eventually(async () => assert.equal(await visits(endpoint), counted), 60_000);
    await get(endpoint);
    assert.equal(await visits(endpoint), counted + 1);
  });

  it("[000.14] Redis answers nobody without a login", async () => {
    const { out } = await tryKubectl(["exec", "-n", `${STACK}-data`, "redis-0", "--", "redis-cli", "ping"]);
    assert.match(out, /NOAUTH/);
  });

  it("[000.7] [000.18] [000.19] runs the image from the environment's registry, by name, tag and digest, which wants a login", async () => {
    const images = await kubectl(["get", "pod", "-n", `${STACK}-apps`, "-o", "jsonpath={..containers[*].image}"]);
    assert.match(
      images,
      /^registry\.dev-registry\.svc\.cluster\.local\/visit-tracker:[0-9a-f]{12}@sha256:[0-9a-f]{64}$/,
    );
    const target = JSON.parse(fs.readFileSync((await shell()).PLATFORM_TARGET ?? "", "utf8")) as {
      registries: Record<string, { pushHost: string }>;
    };
    const anonymous = await run("curl", [
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "--cacert",
      (await shell()).SSL_CERT_FILE ?? "",
      `https://${target.registries[STACK]?.pushHost}/v2/`,
    ]);
    assert.equal(anonymous.out, "401");
  });

  it("[002.2] [002.3] [003.22] opens the declared paths only, shown by traffic", async () => {
    const apps = `${STACK}-apps`;
    const visitor = { "app.kubernetes.io/name": "visit-tracker", "app.kubernetes.io/component": "app" };
    await apply(await testPod("stranger", apps));
    // The application's own image has no shell: a pod with its labels has its rights on the network.
    await apply(await testPod("insider", apps, { labels: visitor }));
    try {
      await Promise.all(["stranger", "insider"].map((pod) => isReady(pod, apps)));
      const redis = `redis.${STACK}-data.svc.cluster.local`;
      const web = `visit-tracker.${apps}.svc.cluster.local`;
      const registry = `registry.${STACK}-registry.svc.cluster.local`;
      const api = "kubernetes.default.svc.cluster.local";
      await eventually(
        async () => assert.ok(await canConnect(apps, "insider", redis, 6379), "the application reaches Redis"),
        20_000,
      );
      assert.equal(await canConnect(apps, "stranger", redis, 6379), false, "a stranger reaches Redis");
      const closed = [
        [web, 80],
        [registry, 443],
        [api, 443],
        ["192.0.2.1", 80],
      ] as const;
      // Each refusal is a silence of seconds: side by side.
      const attempts = ["insider", "stranger"].flatMap((pod) => closed.map(([host, port]) => ({ pod, host, port })));
      await Promise.all(
        attempts.map(async ({ pod, host, port }) =>
          assert.equal(await canConnect(apps, pod, host, port), false, `the ${pod} reaches ${host}:${port}`),
        ),
      );
    } finally {
      await kubectl(["delete", "pod", "stranger", "insider", "-n", apps, "--force", "--grace-period=0"]);
    }
  });

  it("changes nothing the second time, by npm run up and by hand", async () => {
    const again = await platform("up", ["--name", NAME]);
    assert.equal(again.code, 0, again.all);
    assert.match(again.all, /Resources:\s+\d+ unchanged/);
    assert.doesNotMatch(again.all, /\d+ (created|updated|replaced|deleted)/);
    const byHand = await pulumi(["up", "-s", STACK, "--yes", "--expect-no-changes"]);
    assert.equal(byHand.code, 0, byHand.all);
    await platform("env", ["--name", NAME]);
  });

  it("[003.5] rolls out a changed line of source, and nothing for an ignored file or an emptied Docker", async () => {
    const copy = await copyOfProject();
    const app = path.join(copy, "apps", "visit-tracker");
    try {
      fs.appendFileSync(path.join(app, "README.md"), "\nA line that no image sees.\n");
      const ignored = await pulumi(["preview", "-s", STACK, "--expect-no-changes"], { cwd: copy });
      assert.equal(ignored.code, 0, ignored.all);

      const layout = existing(NAME);
      assert.ok(layout);
      assert.equal((await platform("sandbox", ["kill", "docker", "--name", NAME])).code, 0);
      fs.rmSync(path.join(filesOf(layout.dir).machines, "docker", "var", "lib", "docker"), {
        recursive: true,
        force: true,
      });
      assert.equal((await platform("sandbox", ["up", "--name", NAME])).code, 0);
      const emptied = await pulumi(["up", "-s", STACK, "--yes", "--expect-no-changes"], { cwd: copy });
      assert.equal(emptied.code, 0, emptied.all);

      const before = (await outputs(STACK)).releases["visit-tracker"]?.image;
      fs.appendFileSync(path.join(app, "Dockerfile"), "\n# One line more.\n");
      const source = path.join(app, "next.config.ts");
      fs.appendFileSync(source, "\n// One line more.\n");
      const changed = await pulumi(["up", "-s", STACK, "--yes", "--skip-preview"], { cwd: copy });
      assert.equal(changed.code, 0, changed.all);
      const after = (await outputs(STACK)).releases["visit-tracker"]?.image;
      assert.notEqual(after, before);
      const running = await kubectl([
        "get",
        "deployment",
        "visit-tracker",
        "-n",
        `${STACK}-apps`,
        "-o",
        "jsonpath={..containers[0].image}",
      ]);
      assert.equal(running, after);
      await eventually(() => visits(endpoint), 30_000);
    } finally {
      fs.rmSync(copy, { recursive: true, force: true });
    }
  });

  it("[001.15] state holds no generated secret in plain text", async () => {
    const password = Buffer.from(
      await kubectl(["get", "secret", "-n", `${STACK}-apps`, "-o", "jsonpath={.items[*].data.REDIS_PASSWORD}"]),
      "base64",
    ).toString();
    assert.equal(password.length, 32);
    const { out } = await pulumi(["stack", "export", "-s", STACK]);
    assert.ok(!out.includes(password));
    const configs = await kubectl(["get", "configmap,pod,deployment,statefulset", "-A", "-o", "json"]);
    assert.ok(!configs.includes(password));
  });
});
