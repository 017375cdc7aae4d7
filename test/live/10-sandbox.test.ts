import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  NAME,
  ROOT,
  apply,
  broughtUp,
  canConnect,
  eventually,
  get,
  isReady,
  kubectl,
  platform,
  shell,
  testPod,
  tryKubectl,
} from "./world";

const NAMESPACE = "sandbox-test";

describe("sandbox: a cluster that behaves like a real one", function () {
  this.timeout(600_000);

  before(async () => {
    await broughtUp();
    await kubectl(["create", "namespace", NAMESPACE]);
    await kubectl(["label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted"]);
    for (const [pod, node] of [
      ["server", "node1"],
      ["near", "node1"],
      ["far", "node2"],
    ] as const)
      await apply(await testPod(pod, NAMESPACE, { node }));
    await Promise.all(["server", "near", "far"].map((pod) => isReady(pod, NAMESPACE)));
  });

  after(async () => {
    await tryKubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
  });

  it("has three Ready nodes in different hosts, zones and regions", async () => {
    const nodes = JSON.parse(await kubectl(["get", "nodes", "-o", "json"])) as {
      items: {
        metadata: { labels: Record<string, string> };
        status: { conditions: { type: string; status: string }[] };
      }[];
    };
    const label = (key: string): number => new Set(nodes.items.map((node) => node.metadata.labels[key])).size;
    assert.equal(nodes.items.length, 3);
    assert.deepEqual(
      [label("kubernetes.io/hostname"), label("topology.kubernetes.io/zone"), label("topology.kubernetes.io/region")],
      [3, 3, 2],
    );
    for (const node of nodes.items)
      assert.equal(node.status.conditions.find(({ type }) => type === "Ready")?.status, "True");
  });

  it("connects pods on one node and across nodes, by address and by name", async () => {
    const address = await kubectl(["get", "pod", "server", "-n", NAMESPACE, "-o", "jsonpath={.status.podIP}"]);
    await kubectl(["expose", "pod", "server", "-n", NAMESPACE, "--port=80", "--target-port=8080"]);
    assert.ok(await canConnect(NAMESPACE, "near", address, 8080));
    assert.ok(await canConnect(NAMESPACE, "far", address, 8080));
    await eventually(
      async () => assert.ok(await canConnect(NAMESPACE, "far", `server.${NAMESPACE}.svc.cluster.local`, 80)),
      20_000,
    );
  });

  it("[002.4] enforces network policies", async () => {
    const address = await kubectl(["get", "pod", "server", "-n", NAMESPACE, "-o", "jsonpath={.status.podIP}"]);
    await apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "only-near", namespace: NAMESPACE },
      spec: {
        podSelector: { matchLabels: { test: "server" } },
        policyTypes: ["Ingress"],
        ingress: [{ from: [{ podSelector: { matchLabels: { test: "near" } } }], ports: [{ port: 8080 }] }],
      },
    });
    await eventually(async () => assert.equal(await canConnect(NAMESPACE, "far", address, 8080), false), 20_000);
    assert.ok(await canConnect(NAMESPACE, "near", address, 8080));
    await kubectl(["delete", "networkpolicy", "only-near", "-n", NAMESPACE]);
  });

  it("gives LoadBalancer Services an address that the host reaches, also after a node died", async () => {
    await kubectl([
      "expose",
      "pod",
      "server",
      "-n",
      NAMESPACE,
      "--port=80",
      "--target-port=8080",
      "--type=LoadBalancer",
      "--name=outside",
    ]);
    const address = await eventually(async () => {
      const found = await kubectl([
        "get",
        "service",
        "outside",
        "-n",
        NAMESPACE,
        "-o",
        "jsonpath={.status.loadBalancer.ingress[0].ip}",
      ]);
      assert.match(found, /^198\./);
      return found;
    }, 20_000);
    const answers = async (): Promise<void> =>
      assert.match((await get(`http://${address}/`)).body, /hello from server/);
    await eventually(answers, 20_000);
    assert.equal((await platform("sandbox", ["kill", "node2", "--name", NAME])).code, 0);
    await eventually(answers, 20_000);
    assert.equal((await platform("sandbox", ["start", "node2", "--name", NAME])).code, 0);
    await kubectl(["wait", "--for=condition=Ready", "node/node2", "--timeout=90s"]);
    await eventually(() => isReady("far", NAMESPACE), 60_000);
  });

  it("keeps what a volume holds when its pod is deleted", async () => {
    await apply({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "data", namespace: NAMESPACE },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "16Mi" } } },
    });
    const writer = await testPod("writer", NAMESPACE, {
      volume: "data",
      command: ["sh", "-c", "cat /data/word 2>/dev/null || echo kept >/data/word; sleep 600"],
    });
    await apply(writer);
    await isReady("writer", NAMESPACE);
    await kubectl(["delete", "pod", "writer", "-n", NAMESPACE, "--grace-period=0", "--force"]);
    await apply(writer);
    await isReady("writer", NAMESPACE);
    assert.match(await kubectl(["logs", "writer", "-n", NAMESPACE]), /kept/);
  });

  it("serves the aggregated API, logs, exec and port-forward", async () => {
    assert.match(await kubectl(["exec", "-n", NAMESPACE, "near", "--", "id", "-u"]), /65532/);
    await eventually(async () => assert.match(await kubectl(["top", "node"]), /node3/), 120_000);
    const forward = spawn("kubectl", ["port-forward", "-n", NAMESPACE, "pod/server", ":8080"], {
      env: await shell(),
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const port = await new Promise<string>((done, fail) => {
        forward.stdout.on("data", (data: Buffer) => {
          const found = /127\.0\.0\.1:(\d+)/.exec(data.toString())?.[1];
          if (found) done(found);
        });
        forward.on("close", () => fail(new Error("kubectl port-forward ended")));
      });
      assert.match((await get(`http://127.0.0.1:${port}/`)).body, /hello from server/);
    } finally {
      forward.kill();
    }
  });

  it("holds Pod Security and ValidatingAdmissionPolicies", async () => {
    const rootPod = await testPod("root", NAMESPACE);
    const asRoot = JSON.parse(
      JSON.stringify(rootPod).replace('"runAsNonRoot":true', '"runAsNonRoot":false'),
    ) as unknown;
    const refused = await tryKubectl(["apply", "-f", "-"], { input: JSON.stringify(asRoot) });
    assert.match(refused.err, /violates PodSecurity "restricted/);
    await apply({
      apiVersion: "v1",
      kind: "List",
      items: [
        {
          apiVersion: "admissionregistration.k8s.io/v1",
          kind: "ValidatingAdmissionPolicy",
          metadata: { name: "sandbox-test" },
          spec: {
            matchConstraints: {
              resourceRules: [
                { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] },
              ],
            },
            validations: [
              { expression: "object.metadata.name != 'forbidden'", message: "that name is taken by the test" },
            ],
          },
        },
        {
          apiVersion: "admissionregistration.k8s.io/v1",
          kind: "ValidatingAdmissionPolicyBinding",
          metadata: { name: "sandbox-test" },
          spec: {
            policyName: "sandbox-test",
            validationActions: ["Deny"],
            matchResources: { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": NAMESPACE } } },
          },
        },
      ],
    });
    try {
      await eventually(async () => {
        const { err } = await tryKubectl(["create", "configmap", "forbidden", "-n", NAMESPACE, "--dry-run=server"]);
        assert.match(err, /that name is taken by the test/);
      }, 20_000);
    } finally {
      await kubectl(["delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", "sandbox-test"]);
    }
  });

  it("has no way out", async () => {
    // 192.0.2.1 is set aside for documentation: nobody is there. The pod must fail at once for want of a route.
    const { err, code } = await tryKubectl([
      "exec",
      "-n",
      NAMESPACE,
      "near",
      "--",
      "nc",
      "-w",
      "5",
      "192.0.2.1",
      "80",
      "-e",
      "true",
    ]);
    assert.notEqual(code, 0);
    assert.match(err, /unreachable|timed out/i);
  });

  it("notices a partitioned node and takes it back", async () => {
    assert.equal((await platform("sandbox", ["partition", "node3", "--name", NAME])).code, 0);
    await kubectl(["wait", "--for=condition=Ready=Unknown", "node/node3", "--timeout=90s"]);
    assert.equal((await platform("sandbox", ["heal", "node3", "--name", NAME])).code, 0);
    await kubectl(["wait", "--for=condition=Ready=True", "node/node3", "--timeout=90s"]);
  });

  it("answers a wrong call with the right one", async () => {
    const unknown = await platform("sandbox", ["fly"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /"fly" is not a command: take up, down, status/);
    const machine = await platform("sandbox", ["kill", "node9", "--name", NAME]);
    assert.equal(machine.code, 2);
    assert.match(machine.err, /"node9" is not a machine .*node1, node2, node3/);
    assert.ok(ROOT);
  });
});
