import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { kindTarget, kindSession } from "../../../commands/kindTarget";
import { readKubeconfig } from "../../../components/lib/kubeconfig";
import { readTarget, registryTarget } from "../../../components/lib/target";
import { isKind, kindDir, kindDown, kindStatus, kindUp, requireEnforcing } from "../../../sandbox/kind";
import { filesOf } from "../../../sandbox/layout";
import type { Toolchain } from "../../../toolchain";
import { Fakes } from "./fakes";

const quiet = (): void => undefined;

describe("kind", () => {
  let fakes: Fakes;
  beforeEach(() => (fakes = new Fakes()));
  afterEach(() => fakes.remove());

  const lines = (): string[] =>
    fakes.calls().map(({ program, args }) => `${program} ${args.map((arg) => arg.split("\n")[0]).join(" ")}`);

  it("up makes three nodes in three zones, teaches them the registries and gives addresses", async () => {
    const said: string[] = [];
    const cluster = await kindUp("k", (line) => said.push(line));
    const dir = kindDir("k");
    const at = (file: string): string => path.join(dir, file);
    const kubeconfig = `--kubeconfig ${at("kubeconfig")}`;
    const registries =
      "registry.dev-registry.svc.cluster.local=172.18.0.2 registry.qa-registry.svc.cluster.local=172.18.0.3 " +
      "registry.prod-registry.svc.cluster.local=172.18.0.4";
    const [create, taint, ready, ...rest] = lines();
    assert.equal(
      create,
      `kind create cluster --name k --config ${at("kind.yaml")} --kubeconfig ${at("kind.kubeconfig")} --wait 120s`,
    );
    assert.equal(
      taint,
      `kubectl ${kubeconfig} taint nodes k-control-plane node-role.kubernetes.io/control-plane:NoSchedule-`,
    );
    assert.equal(ready, `kubectl ${kubeconfig} get --raw /readyz --request-timeout=5s`);
    assert.deepEqual(
      rest.slice(0, 3).sort(),
      ["k-control-plane", "k-worker", "k-worker2"].map(
        (node) => `docker exec -i ${node} bash -s -- -----BEGIN CERTIFICATE----- ${registries}`,
      ),
    );
    assert.match(
      rest[3] ?? "",
      /^docker exec -i k-control-plane bash -ec .* bash dev=172\.18\.0\.2 qa=172\.18\.0\.3 prod=172\.18\.0\.4$/,
    );
    assert.deepEqual(rest.slice(4), [
      `kubectl ${kubeconfig} wait --for=condition=Ready node --all --timeout=120s`,
      `kubectl ${kubeconfig} get namespace kube-system -o jsonpath={.metadata.uid} --request-timeout=5s`,
    ]);
    assert.equal(cluster.uid, "11111111-2222-3333-4444-555555555555");
    assert.ok(said.some((line) => /kind 0\.30\.0, whose network enforces NetworkPolicy/.test(line)));
  });

  it("the nodes' script and the cloud's arrive as they are in the repository", async () => {
    await kindUp("k", quiet);
    const inputs = fakes.calls().flatMap(({ input }) => (input ? [input] : []));
    const file = (name: string): string => fs.readFileSync(path.join("sandbox", name), "utf8").trimEnd();
    assert.deepEqual(new Set(inputs), new Set([file("kind-node.sh"), file("kind-cloud.sh")]));
  });

  it("the configuration names zones, a pinned image and loopback ports that kind chooses", async () => {
    await kindUp("k", quiet);
    const config = parse(fs.readFileSync(path.join(kindDir("k"), "kind.yaml"), "utf8")) as {
      networking?: unknown;
      nodes: { role: string; image: string; labels: Record<string, string>; extraPortMappings: unknown }[];
    };
    assert.equal(config.networking, undefined, "kind's own network enforces the policies");
    assert.deepEqual(
      config.nodes.map(({ role, labels }) => [role, labels["topology.kubernetes.io/zone"]]),
      [
        ["control-plane", "zone-a"],
        ["worker", "zone-b"],
        ["worker", "zone-c"],
      ],
    );
    for (const node of config.nodes) {
      assert.match(node.image, /^kindest\/node:v1\.34\.\d+@sha256:[0-9a-f]{64}$/);
      assert.deepEqual(node.extraPortMappings, [
        { containerPort: 443, listenAddress: "127.0.0.1" },
        { containerPort: 5443, listenAddress: "127.0.0.1" },
        { containerPort: 80, listenAddress: "127.0.0.1" },
        { containerPort: 8200, listenAddress: "127.0.0.1" },
        { containerPort: 8080, listenAddress: "127.0.0.1" },
        { containerPort: 8443, listenAddress: "127.0.0.1" },
      ]);
    }
  });

  it("keeps the credential out of the kubeconfig, and so out of the state", async () => {
    await kindUp("k", quiet);
    const files = filesOf(kindDir("k"));
    const text = fs.readFileSync(files.kubeconfig, "utf8");
    assert.ok(!text.includes(Buffer.from("the key").toString("base64")));
    assert.equal(fs.existsSync(path.join(kindDir("k"), "kind.kubeconfig")), false);
    const read = readKubeconfig({ KUBECONFIG: files.kubeconfig });
    assert.equal(read.server, "https://127.0.0.1:40001");
    assert.equal(read.credential().key?.toString(), "the key");
    assert.ok(!read.providerInput.includes("the key"));
    assert.equal(fs.statSync(files.credential).mode & 0o777, 0o600);
  });

  it("a second up makes nothing anew", async () => {
    await kindUp("k", quiet);
    fakes.forget();
    await kindUp("k", quiet);
    assert.ok(!lines().some((line) => /^kind |taint|docker start/.test(line)), lines().join("\n"));
  });

  it("up after a restart of Docker starts the nodes again", async () => {
    await kindUp("k", quiet);
    fakes.change({ running: false });
    assert.equal((await kindStatus("k")).state, "stopped");
    fakes.forget();
    await kindUp("k", quiet);
    assert.equal(lines()[0], "docker start k-control-plane k-worker k-worker2");
    assert.equal((await kindStatus("k")).state, "running");
  });

  it("a creation that was killed is begun again", async () => {
    fakes.change({ killed: true });
    await assert.rejects(kindUp("k", quiet), /kind create cluster failed with exit code 137/);
    assert.equal(isKind("k"), false);
    fakes.change({ killed: false });
    fakes.forget();
    await kindUp("k", quiet);
    assert.deepEqual(
      lines()
        .slice(0, 2)
        .map((line) => line.split(" ").slice(0, 3).join(" ")),
      ["kind delete cluster", "kind create cluster"],
    );
    assert.equal(isKind("k"), true);
  });

  it("state of a cluster that is gone does not outlive it", async () => {
    await kindUp("k", quiet);
    const state = path.join(kindDir("k"), "state");
    fs.mkdirSync(state);
    fakes.change({ clusters: "" });
    const said: string[] = [];
    await kindUp("k", (line) => said.push(line));
    assert.equal(fs.existsSync(state), false);
    assert.match(said.join("\n"), /is gone or was never finished: making it anew, with empty state/);
  });

  it("leaves a cluster of the same name alone that somebody else made", async () => {
    fakes.change({ clusters: "k" });
    await assert.rejects(kindUp("k", quiet), /"k" is there that this project did not make: choose another name/);
    fakes.forget();
    await kindDown("k", quiet);
    assert.equal(fakes.read(), "");
  });

  it("says what to do without Docker", async () => {
    fakes.change({ docker: false });
    await assert.rejects(kindUp("k", quiet), /Cannot connect to the Docker daemon.*npm run up -- --context NAME/);
  });

  it("refuses a kind whose network enforces nothing", () => {
    assert.throws(() => requireEnforcing("0.23.0", "kind"), /kind 0\.23\.0 .* does not enforce NetworkPolicy/);
    assert.doesNotThrow(() => requireEnforcing("0.24.0", "kind"));
  });

  it("down removes the cluster and its directory, and is content with nothing", async () => {
    await kindUp("k", quiet);
    fakes.forget();
    await kindDown("k", quiet);
    assert.match(lines().join("\n"), /^kind delete cluster --name k --kubeconfig \S+$/);
    assert.equal(fs.existsSync(kindDir("k")), false);
    assert.deepEqual(await kindStatus("k"), { state: "absent", nodes: [] });
    const said: string[] = [];
    await kindDown("k", (line) => said.push(line));
    assert.deepEqual(said, ['kind cluster "k" is not there: nothing to remove']);
  });

  it("its target is one the program accepts: official images, a registry for each environment", async () => {
    await kindTarget("k", quiet);
    const toolchain = { path: "/tools", pulumiHome: "/home" } as Toolchain;
    const session = kindSession("k", toolchain);
    assert.equal(session.DOCKER_HOST, undefined);
    assert.equal(session.KUBECONFIG, filesOf(kindDir("k")).kubeconfig);
    const target = readTarget(session);
    assert.equal(target.clusterUid, "11111111-2222-3333-4444-555555555555");
    assert.match(target.images.redis ?? "", /^docker\.io\/library\/redis:/);
    assert.match(target.images.grafana ?? "", /^docker\.io\/grafana\/grafana:.*@sha256:/, "which nobody builds");
    const qa = registryTarget(target, "qa");
    assert.equal(qa.host, "registry.qa-registry.svc.cluster.local");
    assert.deepEqual([target.registries.qa?.pullHost, qa.pushHost], ["127.0.0.1:41001", "127.0.0.1:43001"]);
    assert.equal(qa.address, "172.18.0.3");
    assert.match(qa.certificate, /BEGIN CERTIFICATE/);
  });
});
