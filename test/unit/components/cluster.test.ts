import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ClusterFacts,
  checkPin,
  checkServices,
  clusterFacts,
  serviceAddress,
} from "../../../components/lib/cluster";
import { readKubeconfig } from "../../../components/lib/kubeconfig";
import { FakeCluster, TOKEN, json } from "./fakeCluster";

let dir: string;
let cluster: FakeCluster;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "cluster-"));
  cluster = await FakeCluster.start(dir);
});
after(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What the provider is given, for a user like this. */
function input(user?: object): { users: { user: Record<string, unknown> }[]; [key: string]: unknown } {
  return JSON.parse(readKubeconfig(cluster.kubeconfig(user)).providerInput) as ReturnType<typeof input>;
}

/** Logs in as the provider does, in a shell with these variables. */
function login(found: ReturnType<typeof input>, env: NodeJS.ProcessEnv): { code: number | null; out: string } {
  const { command, args } = found.users[0]?.user.exec as { command: string; args: string[] };
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: { PATH: process.env.PATH, ...env },
    encoding: "utf8",
  });
  return { code: status, out: stdout + stderr };
}

describe("a kubeconfig", () => {
  it("gives the current context's server and authority", () => {
    const { server, context, caData } = readKubeconfig(cluster.kubeconfig());
    assert.deepEqual({ server, context }, { server: cluster.url, context: "fake-admin" });
    assert.equal(caData, readFileSync(cluster.ca.cert, "utf8"));
  });

  it("is YAML as kubectl writes it, and its paths start where it lies", () => {
    const file = join(dir, "kubeconfig.yaml");
    writeFileSync(
      file,
      `
apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: "https://192.0.2.1", certificate-authority: cluster-ca.crt } }]
users: [{ name: u, user: { tokenFile: token } }]
contexts: [{ name: x, context: { cluster: c, user: u } }]
current-context: x
`,
    );
    const kubeconfig = readKubeconfig({ KUBECONFIG: file });
    assert.equal(kubeconfig.caData, readFileSync(cluster.ca.cert, "utf8"));
    assert.equal(kubeconfig.credential().token, TOKEN);
  });

  it("hands the provider the way to log in by a plugin, and nothing that the plugin says", () => {
    const found = input();
    assert.deepEqual(login(found, {}), { code: 0, out: readFileSync(join(dir, "credential.json"), "utf8") });
    assert.ok(!JSON.stringify(found).includes(TOKEN));
    assert.equal(found["current-context"], "fake-admin");
  });

  it("lets nobody log in, for a refresh or destroy, whose KUBECONFIG speaks of other clusters only", () => {
    const found = input();
    const own = cluster.kubeconfig().KUBECONFIG ?? "";
    const other = join(dir, "other.kubeconfig");
    writeFileSync(other, "clusters: [{ name: c, cluster: { server: https://192.0.2.1 } }]");
    const refused = login(found, { KUBECONFIG: other });
    assert.equal(refused.code, 1);
    assert.match(
      refused.out,
      /^refused: this stack belongs to the cluster https:\/\/127\.0\.0\.1:\d+, of which KUBECONFIG \(.*other/,
    );
    for (const KUBECONFIG of [own, `${other}:${own}`]) assert.equal(login(found, { KUBECONFIG }).code, 0, KUBECONFIG);
  });

  it("hands the provider files by their absolute paths, and nothing that they hold", () => {
    const key = readFileSync(cluster.client.key, "utf8");
    const found = input({ "client-certificate": "client.crt", "client-key": "client.key" });
    assert.deepEqual(found.users[0]?.user, {
      "client-certificate": cluster.client.cert,
      "client-key": cluster.client.key,
    });
    const half = { "client-certificate-data": "Yw==", "client-key": "client.key" };
    assert.deepEqual(input(half).users[0]?.user, { ...half, "client-key": cluster.client.key });
    assert.deepEqual(input({ tokenFile: "token" }).users[0]?.user, { tokenFile: join(dir, "token") });
    for (const form of [key, Buffer.from(key).toString("base64")]) assert.ok(!JSON.stringify(found).includes(form));
  });

  it("is refused where it holds the credential itself, without repeating it", () => {
    for (const user of [{ token: TOKEN }, { "client-certificate-data": "Yw==", "client-key-data": "c2VjcmV0" }]) {
      assert.throws(
        () => readKubeconfig(cluster.kubeconfig(user)),
        (error: Error) => {
          assert.match(
            error.message,
            /holds the credential of context "fake-admin" itself.*exec plugin, or with files/,
          );
          assert.ok(!error.message.includes(TOKEN) && !error.message.includes("c2VjcmV0"));
          return true;
        },
      );
    }
  });

  it("names the contexts there are when the wanted one is missing or leads nowhere", () => {
    for (const wanted of ["no-such", "broken"]) {
      assert.throws(
        () => readKubeconfig({ ...cluster.kubeconfig(), PLATFORM_CONTEXT: wanted }),
        new RegExp(`has no usable context "${wanted}" \\(it has: fake-admin, broken\\): choose one with kubectl`),
      );
    }
  });

  it("says what to do when it holds nothing, or is not there", () => {
    const file = join(dir, "empty");
    writeFileSync(file, "");
    assert.throws(() => readKubeconfig({ KUBECONFIG: file }), /has no usable context "" \(it has: none\)/);
    const missing = join(dir, "missing");
    assert.throws(
      () => readKubeconfig({ KUBECONFIG: missing }),
      /missing does not exist\. Run npm run up .* KUBECONFIG/,
    );
  });

  it("is the first file of a list", () => {
    const { KUBECONFIG } = cluster.kubeconfig();
    assert.equal(readKubeconfig({ KUBECONFIG: `:${KUBECONFIG}:${join(dir, "other")}` }).context, "fake-admin");
  });
});

describe("the facts of a cluster", () => {
  const logins: [string, () => object | undefined][] = [
    ["a plugin", () => undefined],
    ["a token file", () => ({ tokenFile: "token" })],
    ["a client certificate", () => ({ "client-certificate": "client.crt", "client-key": "client.key" })],
  ];
  for (const [name, user] of logins) {
    it(`come over TLS, logged in by ${name}`, async () => {
      assert.deepEqual(await clusterFacts(readKubeconfig(cluster.kubeconfig(user()))), {
        uid: cluster.uid,
        server: cluster.url,
        podCidrs: ["10.1.0.0/24", "10.1.1.0/24"],
        apiServers: [{ address: "192.0.2.10", port: 6443 }],
        apiGroups: ["cert-manager.io", "external-secrets.io", "gateway.networking.k8s.io", "monitoring.coreos.com"],
      });
    });
  }

  it("tell where the API server is also to those who may read the one slice by its name", async () => {
    const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    const list = `${slices}?labelSelector=kubernetes.io/service-name=kubernetes`;
    const before = cluster.handlers[list];
    const message = "endpointslices is forbidden";
    cluster.handlers[list] = (_, response) => void response.writeHead(403).end(JSON.stringify({ message }));
    const asked = (): Promise<ClusterFacts> => clusterFacts(readKubeconfig(cluster.kubeconfig()));
    await assert.rejects(asked(), /does not answer: 404 to .*endpointslices\/kubernetes/);
    cluster.handlers[`${slices}/kubernetes`] = json({
      endpoints: [{ addresses: ["192.0.2.11"] }],
      ports: [{ port: 443 }],
    });
    assert.deepEqual((await asked()).apiServers, [{ address: "192.0.2.11", port: 443 }]);
    delete cluster.handlers[`${slices}/kubernetes`];
    if (before) cluster.handlers[list] = before;
  });

  it("come by a plugin that is told of the call and given its variables", async () => {
    const script = `[ "$WHO" = me ] && echo "$KUBERNETES_EXEC_INFO" | grep -q '"interactive":false' && cat "$0"`;
    const exec = { ...cluster.exec, command: "sh", args: ["-c", script, join(dir, "credential.json")] };
    const env = [{ name: "WHO", value: "me" }];
    const facts = await clusterFacts(readKubeconfig(cluster.kubeconfig({ exec: { ...exec, env } })));
    assert.equal(facts.uid, cluster.uid);
  });

  const unanswered = (reason: RegExp, env: NodeJS.ProcessEnv): Promise<void> =>
    assert.rejects(clusterFacts(readKubeconfig(env)), (error: Error) => {
      assert.match(
        error.message,
        /^the cluster at https:\S+ \(context "fake-admin"\) does not answer: .* Is it up\? \(npm/,
      );
      assert.match(error.message, reason);
      return true;
    });

  it("are missed with address, context and reason when nothing listens", () =>
    unanswered(/ECONNREFUSED/, cluster.kubeconfig(undefined, { server: "https://127.0.0.1:1" })));

  it("are not taken from whoever shows another authority's certificate", () =>
    unanswered(
      /self-signed|certificate/,
      cluster.kubeconfig(undefined, {
        "certificate-authority-data": Buffer.from(readFileSync(cluster.client.cert)).toString("base64"),
      }),
    ));

  it("are missed with the status when the login is not good", () =>
    unanswered(/401 to \/api\/v1\//, cluster.kubeconfig({})));

  describe("from a server that misbehaves", () => {
    const NODES = "/api/v1/nodes";
    let sound: FakeCluster["handlers"];
    before(() => (sound = { ...cluster.handlers }));
    afterEach(() => Object.assign(cluster.handlers, sound));

    it("are missed with the status of the answer that failed", () => {
      cluster.handlers[NODES] = (_, response) => {
        response.statusCode = 503;
        response.end("busy");
      };
      return unanswered(/503 to \/api\/v1\/nodes/, cluster.kubeconfig());
    });

    it("are missed when the answer is no JSON", () => {
      cluster.handlers[NODES] = (_, response) => response.end("<html>log in here</html>");
      return unanswered(/no JSON to \/api\/v1\/nodes, but "<html>/, cluster.kubeconfig());
    });

    it("are missed when the connection breaks within the answer", () => {
      cluster.handlers[NODES] = (_, response) => {
        response.write('{"items": [');
        setTimeout(() => response.destroy(), 20);
      };
      return unanswered(/aborted/, cluster.kubeconfig());
    });
  });
});

describe("the pin", () => {
  const facts: ClusterFacts = {
    uid: "uid-here",
    server: "https://192.0.2.1:6443",
    podCidrs: [],
    apiServers: [],
    apiGroups: [],
  };

  it("lets the stack's own cluster pass", () => {
    assert.doesNotThrow(() => checkPin("prod", facts, "uid-here", "admin"));
  });

  it("refuses every other cluster, naming both", () => {
    assert.throws(
      () => checkPin("prod", facts, "uid-there", "admin"),
      /^Error: refused: stack prod belongs to cluster uid-there, but context "admin" \(https:\/\/192\.0\.2\.1:6443\) is cluster uid-here\. Nothing was written\. Set KUBECONFIG/,
    );
  });

  it("refuses a stack that has none, and gives the command that sets it", () => {
    for (const pin of [undefined, ""]) {
      assert.throws(
        () => checkPin("prod", facts, pin, "admin"),
        /stack prod is not bound to a cluster yet.* pulumi config set platform:clusterUid uid-here -s prod, and commit/,
      );
    }
  });
});

describe("the cluster's services", () => {
  const facts = { uid: "uid", server: "https://192.0.2.1:6443", podCidrs: [], apiServers: [] };

  it("let a stack that uses them go on where they are", () => {
    const apiGroups = ["apps", "cert-manager.io", "external-secrets.io", "gateway.networking.k8s.io"];
    assert.doesNotThrow(() => checkServices("qa", { ...facts, apiGroups }, { monitoring: false }));
    const watched = [...apiGroups, "monitoring.coreos.com"];
    assert.doesNotThrow(() => checkServices("qa", { ...facts, apiGroups: watched }, { monitoring: true }));
  });

  it("are refused where any one of them is missing", () => {
    for (const missing of ["cert-manager.io", "external-secrets.io", "gateway.networking.k8s.io"]) {
      const apiGroups = ["cert-manager.io", "external-secrets.io", "gateway.networking.k8s.io"];
      const rest = apiGroups.filter((group) => group !== missing);
      assert.throws(
        () => checkServices("qa", { ...facts, apiGroups: rest }, { monitoring: false }),
        (error: Error) => error.message.includes(`does not know ${missing}. Bring up`),
      );
    }
  });

  it("are named where they are missing, with the way to get them", () => {
    assert.throws(
      () => checkServices("qa", { ...facts, apiGroups: ["apps", "cert-manager.io"] }, { monitoring: false }),
      /^Error: stack qa uses what another .* does not know external-secrets\.io and gateway\.networking\.k8s\.io\. Bring up the stack .* to install\. Nothing/,
    );
  });

  it("are missed also for monitoring, where the stack wants to be monitored", () => {
    const apiGroups = ["apps", "cert-manager.io", "external-secrets.io", "gateway.networking.k8s.io"];
    assert.throws(
      () => checkServices("qa", { ...facts, apiGroups }, { monitoring: true }),
      /does not know monitoring\.coreos\.com\. Bring up .* where its platform:monitoring\.enabled is true; .* Nothing was written\.$/,
    );
  });
});

describe("the address of a Service", () => {
  const URL_OF_SERVICE = "/api/v1/namespaces/dev-apps/services/web";
  const address = (patienceMs = 0): Promise<string | undefined> =>
    serviceAddress(readKubeconfig(cluster.kubeconfig()), "dev-apps", "web", patienceMs);
  const answer = (...ingress: object[]): void => {
    cluster.handlers[URL_OF_SERVICE] = json({ status: { loadBalancer: { ingress } } });
  };
  afterEach(() => delete cluster.handlers[URL_OF_SERVICE]);

  it("is its load balancer's host name, or its IP", async () => {
    answer({ hostname: "lb.example", ip: "192.0.2.1" });
    assert.equal(await address(), "lb.example");
    answer({ ip: "192.0.2.1" });
    assert.equal(await address(), "192.0.2.1");
  });

  it("is waited for as long as told", async () => {
    let asked = 0;
    cluster.handlers[URL_OF_SERVICE] = (...call) => {
      if (++asked === 2) answer({ ip: "192.0.2.1" });
      json({ status: { loadBalancer: {} } })(...call);
    };
    assert.equal(await address(), undefined);
    assert.equal(await address(10_000), "192.0.2.1");
  });

  it("is none where the Service is gone, and a clear failure where the cluster does not answer", async () => {
    assert.equal(await address(), undefined);
    cluster.handlers[URL_OF_SERVICE] = (_, response) => {
      response.statusCode = 503;
      response.end("busy");
    };
    await assert.rejects(address(), /^Error: the cluster at .* does not answer: 503 to \/api\/v1/);
  });
});
