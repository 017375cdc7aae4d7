import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MANIFESTS, askRegistry, pullLogin } from "../../checks/registry";
import { parseReference } from "../../components/lib/imageReference";
import { bytes } from "../../components/lib/quantities";
import { edgeClient } from "../live/edgeClient";
import { NAME, ROOT, eventually, get, itHolds, kubectl, outputs, platform, pulumi, standOf } from "../live/world";
import { stageUp } from "./stages";

const STACKS = ["dev", "qa", "prod"] as const;
type Stack = (typeof STACKS)[number];
const APP = "visit-tracker";
const INDEX = "application/vnd.oci.image.index.v1+json";
const HEAD = { method: "HEAD", headers: { accept: MANIFESTS } };
type Question = Parameters<typeof askRegistry>[3];

interface Reply {
  readonly status: number;
  readonly digest?: string;
}

/** Asks a registry; `login` is user:password. */
async function ask(stack: Stack, door: "pull" | "push", path: string, question: Question = {}): Promise<Reply> {
  const { status, headers } = await askRegistry(await standOf(stack), door, path, question);
  const digest = headers["docker-content-digest"];
  return { status, ...(typeof digest === "string" ? { digest } : {}) };
}

const loginOf = async (stack: Stack): Promise<string> => pullLogin(await standOf(stack));

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
  (await ask(stack, "pull", `${APP}/manifests/${digest}`, { ...HEAD, login: await loginOf(stack) })).status === 200;

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
      await stageUp(stack);
      endpoints[stack] = (await outputs(stack)).endpoints[APP] ?? "";
    }
  });

  const serves = async (stack: Stack): Promise<void> =>
    assert.equal((await get(endpoints[stack] ?? "")).status, 200, stack);

  it("[002.9] each serves, at an address of its own", async () => {
    assert.equal(new Set(Object.values(endpoints)).size, STACKS.length);
    for (const stack of STACKS) await serves(stack);
  });

  it("[001.1] [001.2] [001.4] shows the page of each stage, with its own notes and nobody else's", async () => {
    const notes: Record<string, string[]> = {};
    const mark = randomUUID();
    for (const stack of STACKS) {
      const { ask } = await edgeClient(stack, "notes-page");
      assert.match((await ask("GET", "/")).text, new RegExp(`<h1>\\s*Notes of\\s+${stack}\\s*</h1>`));
      const { status, text } = await ask("POST", "/api/notes", JSON.stringify({ text: `${mark} of ${stack}` }));
      assert.equal(status, 201, text);
    }
    for (const stack of STACKS) {
      const { ask } = await edgeClient(stack, "notes-page");
      const { body } = await ask("GET", "/api/notes");
      notes[stack] = (body as { notes: { text: string }[] }).notes.map(({ text }) => text);
    }
    for (const stack of STACKS)
      assert.deepEqual(
        notes[stack]?.filter((text) => text.startsWith(mark)),
        [`${mark} of ${stack}`],
      );
  });

  it("take less than ten GiB of memory together", async () => {
    const table = await eventually(() => kubectl(["top", "pods", "-A", "--no-headers"]), 60_000);
    const used = table
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([namespace = ""]) => /^(dev|qa|prod|platform)-/.test(namespace))
      .map(([, , , memory = ""]) => bytes(memory) ?? NaN);
    const total = used.reduce((sum, each) => sum + each, 0) / 2 ** 30;
    console.log(`      ${used.length} pods use ${total.toFixed(1)} GiB`);
    assert.ok(used.length > 40 && total < 10, `${total} GiB in ${used.length} pods`);
  });

  for (const stack of STACKS) itHolds(stack);

  it("[001.8] [001.9] [003.5] runs in each what dev built, from its own registry, by the same digest", async () => {
    const { digest, tag } = await release("dev");
    for (const stack of STACKS) {
      const own = await release(stack);
      assert.deepEqual([own.digest, own.tag], [digest, tag]);
      assert.equal(own.host, `registry.${stack}-registry.svc.cluster.local`);
    }
    for (const stack of ["qa", "prod"])
      assert.doesNotMatch((await pulumi(["stack", "export", "-s", stack])).out, /docker:index/, "nothing is built");
  });

  it("has written down why prod did not wait for what qa had just got", async () => {
    const { all, code } = await platform("rollback", ["--name", NAME, "--stack", "prod", "--list"]);
    assert.equal(code, 0, all);
    assert.match(
      all,
      /runs +\d\S* \(sha256:\w{12}\), healthy since \S+; guard "early" set aside by \S+: qa has just come up/,
    );
  });

  it("keeps the login of one environment out of the state of the next", async () => {
    const dev = (await loginOf("dev")).split(":")[1] ?? "nothing";
    const { out } = await pulumi(["stack", "export", "-s", "qa", "--show-secrets"]);
    assert.ok(dev.length === 40 && out.includes("registry-pull-password"));
    assert.ok(!out.includes(dev));
  });

  it("[000.8] keeps its images when the registry's pod is deleted", async () => {
    const { digest } = await release("prod");
    await kubectl(["delete", "pod", "-n", "prod-registry", "-l", "app.kubernetes.io/name=registry"]);
    await eventually(async () => assert.ok(await isHere("prod", digest)), 60_000);
  });

  it("refuses an update whose image it cannot get, and brings back one that was lost; else changes nothing", async () => {
    const { digest } = await release("qa");
    const lost = await ask("qa", "push", `${APP}/manifests/${digest}`, {
      login: await pushLogin("qa"),
      method: "DELETE",
    });
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
    const { digest, tag } = await release("qa");
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [],
    });
    const login = await pushLogin("qa");
    const named = { login, method: "PUT", headers: { "content-type": INDEX }, body: manifest };
    const put = await ask("qa", "push", `${APP}/manifests/forgotten`, named);
    assert.equal(put.status, 201);
    const untag = await ask("qa", "push", `${APP}/manifests/forgotten`, { login, method: "DELETE" });
    assert.equal(untag.status, 202);
    const looked = { login, method: "HEAD", headers: { accept: INDEX } };
    const found = async (): Promise<number> =>
      (await ask("qa", "push", `${APP}/manifests/${put.digest ?? ""}`, looked)).status;
    assert.equal(await found(), 200, "without its tag it is still there");

    const job = ["-n", "qa-registry", "job/cleaning-by-hand"];
    await kubectl(["create", "job", "-n", "qa-registry", "--from=cronjob/registry-cleaning", "cleaning-by-hand"]);
    await eventually(async () => assert.equal(await found(), 503), 60_000);
    assert.ok(await isHere("qa", digest), "pulling goes on");
    await kubectl(["wait", "--for=condition=Complete", ...job, "--timeout=120s"]);
    await eventually(async () => assert.equal(await found(), 404), 20_000);
    assert.ok((await isHere("qa", digest)) && (await isHere("qa", tag)));
    assert.equal((await ask("qa", "push", `${APP}/blobs/uploads/`, { login, method: "POST" })).status, 202);
    await kubectl(["delete", ...job]);
  });

  it("refuses to take the cluster's services down while another environment needs them", async () => {
    const { code, all } = await platform("down", ["--name", NAME, "--stack", "dev"]);
    assert.notEqual(code, 0);
    assert.match(
      all,
      /stack dev owns what the cluster has once .* and prod and qa on it need that: nothing was removed/,
    );
    const bare = await pulumi(["destroy", "-s", "dev", "--yes", "--skip-preview"]);
    assert.notEqual(bare.code, 0, bare.all);
    assert.match(
      bare.all,
      /stack dev owns what the cluster has once, and (qa|prod)-\w+ is of an environment that needs it/,
    );
    assert.doesNotMatch(bare.all, /\d+ deleted/);
    await serves("dev");
  });

  it("hands them over to another stack, and back, with nothing made anew", async () => {
    const files = STACKS.map((stack) => path.join(ROOT, `Pulumi.${stack}.yaml`));
    const texts = files.map((file) => fs.readFileSync(file, "utf8"));
    try {
      for (const [to, from] of [
        ["prod", "dev"],
        ["dev", "prod"],
      ] as const) {
        const given = await platform("handover", ["--name", NAME, "--to", to]);
        assert.equal(given.code, 0, given.all);
        assert.doesNotMatch(given.all, /\d+ (created|replaced|deleted)/);
        const rest = await pulumi(["up", "-s", from, "--yes", "--skip-preview", "--expect-no-changes"]);
        assert.equal(rest.code, 0, rest.all);
      }
      assert.deepEqual(
        files.map((file) => fs.readFileSync(file, "utf8").replace(/^encryptionsalt:.*\n?/m, "")),
        texts.map((text) => text.replace(/^encryptionsalt:.*\n?/m, "")),
      );
    } finally {
      for (const [index, file] of files.entries()) fs.writeFileSync(file, texts[index] ?? "");
    }
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
