import assert from "node:assert/strict";
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseReference } from "../../components/lib/imageReference";
import type { Target } from "../../components/lib/target";
import {
  NAME,
  apply,
  canConnect,
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

const STACKS = ["dev", "qa", "prod"] as const;
type Stack = (typeof STACKS)[number];
const APP = "visit-tracker";
const MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

const target = async (): Promise<Target> =>
  JSON.parse(fs.readFileSync((await shell()).PLATFORM_TARGET ?? "", "utf8")) as Target;

interface Reply {
  readonly status: number;
  readonly digest?: string;
}

/** Asks a registry as curl does; `login` is user:password. */
async function ask(
  stack: Stack,
  door: "pull" | "push",
  path: string,
  login?: string,
  ...more: string[]
): Promise<Reply> {
  const place = (await target()).registries[stack];
  const host = door === "pull" ? place?.pullHost : place?.pushHost;
  const trust = (await shell()).SSL_CERT_FILE ?? "";
  const user = login ? ["--user", login] : [];
  const args = ["-s", "-D", "-", "-o", "/dev/null", "--max-time", "20", "--cacert", trust, ...user, ...more];
  const { out } = await run("curl", [...args, `https://${host}/v2/${path}`]);
  const digest = /^docker-content-digest: (\S+)/im.exec(out)?.[1];
  return { status: Number(/^HTTP\/[\d.]+ (\d+)/.exec(out)?.[1] ?? 0), ...(digest ? { digest } : {}) };
}

const secretText = async (namespace: string, name: string, key: string): Promise<string> => {
  const path = `-o=jsonpath={.data.${key.replaceAll(".", "\\.")}}`;
  return Buffer.from(await kubectl(["get", "secret", "-n", namespace, name, path]), "base64").toString();
};

async function pullLogin(stack: Stack): Promise<string> {
  const text = await secretText(`${stack}-registry`, "regcred", ".dockerconfigjson");
  const [login] = Object.values((JSON.parse(text) as { auths: Record<string, { auth: string }> }).auths);
  return Buffer.from(login?.auth ?? "", "base64").toString();
}

/** As whoever deploys finds it: in the stack's own state, with its passphrase. */
async function pushLogin(stack: Stack): Promise<string> {
  const { out } = await pulumi(["stack", "export", "-s", stack, "--show-secrets"]);
  const { deployment } = JSON.parse(out) as {
    deployment: { resources: { urn: string; outputs?: { result?: { plaintext: string } } }[] };
  };
  const found = deployment.resources.find(({ urn }) => urn.endsWith("::registry-push-password"));
  return `push:${JSON.parse(found?.outputs?.result?.plaintext ?? '""') as string}`;
}

const release = async (stack: Stack): Promise<ReturnType<typeof parseReference>> =>
  parseReference((await outputs(stack)).releases[APP]?.image ?? "");

const isHere = async (stack: Stack, digest: string): Promise<boolean> =>
  (await ask(stack, "pull", `${APP}/manifests/${digest}`, await pullLogin(stack), "-I", "-H", `Accept: ${MANIFESTS}`))
    .status === 200;

const scaleRegistry = async (stack: Stack, replicas: number): Promise<void> => {
  const deployment = ["deployment/registry", "-n", `${stack}-registry`];
  await kubectl(["scale", ...deployment, `--replicas=${replicas}`]);
  await kubectl(["rollout", "status", ...deployment, "--timeout=120s"]);
};

describe("environments: dev, qa and prod side by side on one cluster", function () {
  this.timeout(900_000);
  const endpoints: Record<string, string> = {};

  before(async () => {
    for (const stack of STACKS) {
      const { code, all } = await platform("up", ["--name", NAME, "--stack", stack]);
      assert.equal(code, 0, all);
      endpoints[stack] = (await outputs(stack)).endpoints[APP] ?? "";
    }
  });

  // What comes after this suite knows of dev only.
  after(async () => {
    for (const stack of ["prod", "qa"]) await platform("down", ["--name", NAME, "--stack", stack]);
  });

  const serves = async (stack: Stack): Promise<void> =>
    assert.equal((await get(endpoints[stack] ?? "")).status, 200, stack);

  it("[002.9] [003.5] each serves, at an address of its own, as large as its profile says", async () => {
    assert.equal(new Set(Object.values(endpoints)).size, STACKS.length);
    for (const [index, stack] of STACKS.entries()) {
      await serves(stack);
      const path = "-o=jsonpath={range .items[*]}{.spec.nodeName}{'\\n'}{end}";
      const pods = await kubectl(["get", "pods", "-n", `${stack}-apps`, "-l", `app.kubernetes.io/name=${APP}`, path]);
      const nodes = pods.trim().split("\n");
      assert.equal(nodes.length, index + 1);
      if (stack === "prod") assert.equal(new Set(nodes).size, 3, "a hard spread");
    }
  });

  it("[001.8] [001.9] [003.5] runs in each what dev built, from its own registry, by the same digest", async () => {
    const { digest, tag } = await release("dev");
    for (const stack of STACKS) {
      const own = await release(stack);
      assert.deepEqual([own.digest, own.tag], [digest, tag]);
      assert.equal(own.host, `registry.${stack}-registry.svc.cluster.local`);
      const query = ["-I", "-H", `Accept: ${MANIFESTS}`];
      const found = await ask(stack, "pull", `${APP}/manifests/${tag}`, await pullLogin(stack), ...query);
      assert.deepEqual(found, { status: 200, digest });
      const path = "-o=jsonpath={.items[*].status.containerStatuses[*].imageID}";
      const ids = await kubectl(["get", "pods", "-n", `${stack}-apps`, "-l", `app.kubernetes.io/name=${APP}`, path]);
      // A node that has the same content from another registry names that one.
      for (const id of ids.split(" ")) assert.match(id, new RegExp(`/${APP}@${digest}$`));
    }
    for (const stack of ["qa", "prod"])
      assert.doesNotMatch((await pulumi(["stack", "export", "-s", stack])).out, /docker:index/, "nothing is built");
  });

  it("[000.7] each registry refuses strangers, and the login that pulls can write and delete nothing", async () => {
    const logins = await Promise.all(STACKS.map((stack) => Promise.all([pullLogin(stack), pushLogin(stack)])));
    for (const [index, stack] of STACKS.entries()) {
      const [pull, push] = logins[index] as [string, string];
      const { digest } = await release(stack);
      const [upload, image] = [`${APP}/blobs/uploads/`, `${APP}/manifests/${digest}`];
      const others = STACKS.filter((other) => other !== stack);
      const questions: [number, ...Parameters<typeof ask>][] = [
        [401, stack, "pull", ""],
        [401, stack, "push", ""],
        [401, stack, "pull", "", "pull:wrong"],
        [200, stack, "pull", "", pull],
        [405, stack, "pull", upload, pull, "-X", "POST"],
        [405, stack, "pull", `${APP}/manifests/x`, pull, "-X", "PUT", "-d", "{}"],
        [405, stack, "pull", image, pull, "-X", "DELETE"],
        [401, stack, "push", upload, pull, "-X", "POST"],
        [401, stack, "push", image, pull, "-X", "DELETE"],
        [202, stack, "push", upload, push, "-X", "POST"],
        ...others.map((other): [number, ...Parameters<typeof ask>] => [401, other, "pull", "", pull]),
      ];
      const answers = await Promise.all(questions.map(async ([, ...question]) => (await ask(...question)).status));
      assert.deepEqual(
        answers,
        questions.map(([status]) => status),
        stack,
      );
    }
  });

  it("keeps the login of one environment out of the state of the next", async () => {
    const dev = (await pullLogin("dev")).split(":")[1] ?? "nothing";
    const { out } = await pulumi(["stack", "export", "-s", "qa", "--show-secrets"]);
    assert.ok(dev.length === 40 && out.includes("registry-pull-password"));
    assert.ok(!out.includes(dev));
  });

  it("[002.9] from a pod in dev nothing of qa or prod can be reached, shown by traffic", async () => {
    const labels = { "app.kubernetes.io/name": APP, "app.kubernetes.io/component": "app" };
    await apply(await testPod("insider", "dev-apps", { labels }));
    try {
      await isReady("insider", "dev-apps");
      const reaches = (host: string, port: number): Promise<boolean> => canConnect("dev-apps", "insider", host, port);
      const redis = "redis.dev-data.svc.cluster.local";
      await eventually(async () => assert.ok(await reaches(redis, 6379), "its own Redis"), 20_000);
      const path = "-o=jsonpath={range .items[*]}{.metadata.namespace} {.status.podIP}{'\\n'}{end}";
      const pods = (await kubectl(["get", "pods", "-A", path])).split("\n").map((line) => line.split(" "));
      const forbidden = (["qa", "prod"] as const).flatMap((stack) => [
        [`redis.${stack}-data.svc.cluster.local`, 6379] as const,
        [`${APP}.${stack}-apps.svc.cluster.local`, 80] as const,
        [new URL(endpoints[stack] ?? "").hostname, 80] as const,
        ...[443, 5443].map((port) => [`registry.${stack}-registry.svc.cluster.local`, port] as const),
        ...Object.entries({ data: 6379, apps: 3000, registry: 5000 }).flatMap(([concern, port]) =>
          pods.filter(([namespace]) => namespace === `${stack}-${concern}`).map(([, ip = ""]) => [ip, port] as const),
        ),
      ]);
      assert.ok(forbidden.length >= 19);
      const open = await Promise.all(forbidden.map(([host, port]) => reaches(host, port)));
      assert.deepEqual(
        forbidden.filter((_, index) => open[index]),
        [],
      );
    } finally {
      await kubectl(["delete", "pod", "insider", "-n", "dev-apps", "--force", "--grace-period=0"]);
    }
  });

  it("[002.9] none can take more of the cluster than its share", async () => {
    for (const stack of STACKS) {
      const pod = (await testPod("greedy", `${stack}-apps`)) as { spec: { containers: [{ resources: unknown }] } };
      const much = { cpu: "33", memory: "64Gi" };
      pod.spec.containers[0].resources = { requests: much, limits: much };
      const { code, err } = await tryKubectl(["apply", "-f", "-"], { input: JSON.stringify(pod) });
      assert.notEqual(code, 0);
      assert.match(err, /exceeded quota: quota, requested: requests\.cpu=33/);
    }
  });

  it("[000.8] keeps its images when the registry's pod is deleted", async () => {
    const { digest } = await release("prod");
    await kubectl(["delete", "pod", "-n", "prod-registry", "-l", "app.kubernetes.io/name=registry"]);
    await eventually(async () => assert.ok(await isHere("prod", digest)), 60_000);
  });

  it("refuses an update whose image it cannot get, and brings back one that was lost; else changes nothing", async () => {
    const { digest } = await release("qa");
    const lost = await ask("qa", "push", `${APP}/manifests/${digest}`, await pushLogin("qa"), "-X", "DELETE");
    assert.equal(lost.status, 202);
    assert.equal(await isHere("qa", digest), false);
    await scaleRegistry("dev", 0);
    const refused = await pulumi(["up", "-s", "qa", "--yes", "--skip-preview"]);
    await scaleRegistry("dev", 1);
    assert.notEqual(refused.code, 0, refused.all);
    assert.match(refused.all, /the registry [\d.]+ (cannot be reached|does not answer)/);
    assert.doesNotMatch(refused.all, /\d+ (created|updated|replaced|deleted)/);

    const again = await Promise.all(
      ["qa", "prod"].map((stack) => pulumi(["up", "-s", stack, "--yes", "--skip-preview", "--expect-no-changes"])),
    );
    for (const { code, all } of again) assert.equal(code, 0, all);
    assert.match(again[0]?.all ?? "", /copied from the registry of dev/);
    assert.doesNotMatch(again[1]?.all ?? "", /copied from the registry/);
    assert.ok(await isHere("qa", digest));
  });

  it("frees what no tag names, and takes pushes again afterwards", async () => {
    const push = await pushLogin("qa");
    const { digest, tag } = await release("qa");
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [],
    });
    const type = ["-H", "Content-Type: application/vnd.oci.image.index.v1+json"];
    const put = await ask("qa", "push", `${APP}/manifests/forgotten`, push, "-X", "PUT", ...type, "-d", manifest);
    assert.equal(put.status, 201);
    const forgotten = put.digest ?? "";
    const untag = await ask("qa", "push", `${APP}/manifests/forgotten`, push, "-X", "DELETE");
    assert.equal(untag.status, 202);
    const accept = ["-I", "-H", "Accept: application/vnd.oci.image.index.v1+json"];
    const found = async (): Promise<number> =>
      (await ask("qa", "push", `${APP}/manifests/${forgotten}`, push, ...accept)).status;
    assert.equal(await found(), 200, "without its tag it is still there");

    const job = ["-n", "qa-registry", "job/cleaning-by-hand"];
    await kubectl(["create", "job", "-n", "qa-registry", "--from=cronjob/registry-cleaning", "cleaning-by-hand"]);
    await eventually(async () => assert.equal(await found(), 503), 60_000);
    assert.ok(await isHere("qa", digest), "pulling goes on");
    await kubectl(["wait", "--for=condition=Complete", ...job, "--timeout=120s"]);
    await eventually(async () => assert.equal(await found(), 404), 20_000);
    assert.ok((await isHere("qa", digest)) && (await isHere("qa", tag)));
    assert.equal((await ask("qa", "push", `${APP}/blobs/uploads/`, push, "-X", "POST")).status, 202);
    await kubectl(["delete", ...job]);
  });

  it("refuses to take the cluster's services down while another environment needs them", async () => {
    const { code, all } = await platform("down", ["--name", NAME, "--stack", "dev"]);
    assert.notEqual(code, 0);
    assert.match(
      all,
      /stack dev owns what the cluster has once .* and prod and qa on it need that: nothing was removed/,
    );
    await serves("dev");
  });

  it("[002.9] destroying qa leaves the others serving all the while", async () => {
    let ended = false;
    const failures: string[] = [];
    let asked = 0;
    const watch = (async () => {
      while (!ended) {
        for (const stack of ["dev", "prod"] as const) {
          asked++;
          await serves(stack).catch((error: Error) => failures.push(`${stack}: ${error.message}`));
        }
        await sleep(250);
      }
    })();
    const { code, all } = await platform("down", ["--name", NAME, "--stack", "qa"]);
    ended = true;
    await watch;
    assert.equal(code, 0, all);
    assert.deepEqual(failures, []);
    assert.ok(asked > 20);
    const namespaces = await kubectl(["get", "namespaces", "-o", "name"]);
    assert.doesNotMatch(namespaces, /qa-/);
    assert.match(namespaces, /dev-apps[^]*prod-apps/);
  });

  it("[002.9] an environment whose stage before is gone goes on as it is, and can be refreshed and updated", async () => {
    const before = await release("prod");
    const refresh = await pulumi(["refresh", "-s", "prod", "--yes", "--skip-preview"]);
    assert.equal(refresh.code, 0, refresh.all);
    const update = await pulumi(["up", "-s", "prod", "--yes", "--skip-preview", "--expect-no-changes"]);
    assert.equal(update.code, 0, update.all);
    assert.match(update.all, /stack qa has recorded no image of "visit-tracker": prod keeps registry\.prod-registry/);
    assert.deepEqual(await release("prod"), before);
    await serves("prod");
  });
});
