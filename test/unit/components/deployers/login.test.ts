import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deployerOf } from "../../../../components/lib/deployer";
import { type Kubeconfig, readKubeconfig } from "../../../../components/lib/kubeconfig";
import { loginOf } from "../../../../components/lib/login";
import { claimOf, namespaceEntry } from "../../../../components/lib/namespaceEntry";
import { FakeCluster, TOKEN, json } from "../fakeCluster";

const ACCOUNT = "/api/v1/namespaces/platform-deployers/serviceaccounts/deployer-qa";
const REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const MINTED = "token-of-the-deployer";

/** Says in a file what it was asked and with whose kubeconfig, and prints what its template makes of a token. */
const KUBECTL = `#!/bin/sh
echo "$KUBECONFIG $*" >>"$KUBECTL_LOG"
[ -z "$KUBECTL_FAILS" ] || { echo "$KUBECTL_FAILS" >&2; exit 1; }
for last; do :; done
printf '%s' "\${last#go-template=}" | sed 's/{{.status.token}}/${MINTED}/; s/{{.status.expirationTimestamp}}/2030-01-01T00:00:00Z/'
`;

const USES = { clusterServices: "use", deployers: [] } as const;
const INSTALLS = { clusterServices: "install", deployers: [] } as const;

describe("deployers, before they deploy", () => {
  let dir: string;
  let cluster: FakeCluster;
  let kubeconfig: Kubeconfig;
  const environment = { ...process.env };
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "deployer-"));
    cluster = await FakeCluster.start(dir);
    mkdirSync(join(dir, "bin"));
    writeFileSync(join(dir, "bin", "kubectl"), KUBECTL);
    chmodSync(join(dir, "bin", "kubectl"), 0o755);
  });
  after(async () => {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    kubeconfig = readKubeconfig(cluster.kubeconfig());
    cluster.handlers[ACCOUNT] = json({ metadata: { name: "deployer-qa" } });
    const env = {
      ...cluster.kubeconfig(),
      PATH: `${join(dir, "bin")}:${process.env.PATH}`,
      KUBECTL_LOG: join(dir, "log"),
    };
    for (const name of ["PLATFORM_CONTEXT", "PLATFORM_MINTER", "PLATFORM_MINTING", "KUBECTL_FAILS"])
      delete process.env[name];
    Object.assign(process.env, env);
    writeFileSync(join(dir, "log"), "");
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
  });

  const asked = (): string => readFileSync(join(dir, "log"), "utf8");
  const deployer = async (): Promise<Kubeconfig> => {
    const found = await deployerOf(kubeconfig, "qa");
    assert.ok(found);
    return found;
  };

  describe("the login of a deployer", () => {
    it("is a token that is asked for with the rights of whoever starts the run", async () => {
      assert.equal((await deployer()).credential().token, MINTED);
      assert.match(
        asked(),
        /\/kubeconfig create token deployer-qa -n platform-deployers --duration 10m --request-timeout 8s -o go-template=/,
      );
    });

    it("is asked for once in a run, and anew before it ends", async () => {
      const { credential } = await deployer();
      const now = Date.now;
      try {
        for (const minutes of [0, 4, 6, 9]) {
          Date.now = () => now() + minutes * 60_000;
          assert.equal(credential().token, MINTED);
        }
      } finally {
        Date.now = now;
      }
      assert.equal(asked().trim().split("\n").length, 2);
    });

    it("goes by the context that the run was given, and by another kubeconfig where the shell is the deployer's own", async () => {
      Object.assign(process.env, { PLATFORM_CONTEXT: "fake-admin", PLATFORM_MINTER: "/their/kubeconfig" });
      (await deployer()).credential();
      assert.match(asked(), /^\/their\/kubeconfig --context fake-admin create token/);
    });

    it("does not ask itself for ever where a shell is its own and does not say who asks", async () => {
      process.env.PLATFORM_MINTING = "1";
      await assert.rejects(
        async () => (await deployer()).credential(),
        /no token for deployer-qa.* refused: the login of deployer-qa asks itself for a token: set PLATFORM_MINTER/,
      );
      assert.equal(asked(), "");
    });

    it("says who is given one, where it is refused", async () => {
      process.env.KUBECTL_FAILS = 'error: failed to create token: serviceaccounts "deployer-qa" is forbidden';
      await assert.rejects(
        async () => (await deployer()).credential(),
        /^Error: no token for deployer-qa, as which stack qa is deployed: .*is forbidden\. It is given to administrators and to the group platform:qa-deployers\.$/,
      );
    });

    it("is the same text in the state for everybody, at every run, and holds no credential", async () => {
      const one = (await deployer()).providerInput;
      kubeconfig = readKubeconfig(cluster.kubeconfig({ tokenFile: "token" }));
      Object.assign(process.env, { PLATFORM_MINTER: "/their/kubeconfig", HOME: "/elsewhere" });
      assert.equal((await deployer()).providerInput, one);
      for (const text of [MINTED, TOKEN, dir, "/their/"]) assert.ok(!one.includes(text), text);
      const { server, context } = await deployer();
      assert.deepEqual([server, context], [kubeconfig.server, kubeconfig.context]);
    });

    it("is what the provider logs in with, on the cluster that it is for and on no other", async () => {
      const { users } = JSON.parse((await deployer()).providerInput) as {
        users: { user: { exec: { command: string; args: string[]; interactiveMode: string } } }[];
      };
      const { command, args, interactiveMode } = users[0]?.user.exec ?? { command: "", args: [] };
      assert.equal(interactiveMode, "Never");
      const { stdout } = spawnSync(command, args, { encoding: "utf8" });
      assert.deepEqual(JSON.parse(stdout), {
        apiVersion: "client.authentication.k8s.io/v1",
        kind: "ExecCredential",
        status: { token: MINTED, expirationTimestamp: "2030-01-01T00:00:00Z" },
      });
      const other = join(dir, "other");
      writeFileSync(other, "server: https://192.0.2.1");
      const refused = spawnSync(command, args, { encoding: "utf8", env: { ...process.env, KUBECONFIG: other } });
      assert.match(refused.stderr, /^refused: this stack belongs to the cluster/);
    });
  });

  describe("whoever deploys", () => {
    const forbid = (request: IncomingMessage, response: Parameters<FakeCluster["handlers"][string]>[1]): void => {
      response.writeHead(403).end(JSON.stringify({ message: `${request.url} is not for you` }));
    };

    it("is the stack's deployer where the cluster has one", async () => {
      const login = await loginOf("qa", USES, kubeconfig);
      assert.match(login.kubeconfig.providerInput, /deployer-qa/);
      assert.ok(login.enter && login.promoters);
    });

    it("stays who it is where there is none, where it may not know, and where it installs the cluster's services", async () => {
      delete cluster.handlers[ACCOUNT];
      const cases: [Parameters<typeof loginOf>[1], FakeCluster["handlers"][string] | undefined][] = [
        [USES, undefined],
        [USES, forbid],
        [INSTALLS, json({})],
      ];
      for (const [config, handler] of cases) {
        if (handler) cluster.handlers[ACCOUNT] = handler;
        assert.deepEqual(await loginOf("qa", config, kubeconfig), { kubeconfig, promoters: false });
      }
    });

    it("knows whether others have deployers, which might promote from it", async () => {
      delete cluster.handlers[ACCOUNT];
      const home = "/api/v1/namespaces/platform-deployers";
      const promoters = async (config: Parameters<typeof loginOf>[1]): Promise<boolean> =>
        (await loginOf("qa", config, kubeconfig)).promoters;
      assert.equal(await promoters({ ...INSTALLS, deployers: ["prod"] }), true);
      cluster.handlers[home] = forbid;
      assert.equal(await promoters(USES), false);
      cluster.handlers[home] = json({});
      assert.equal(await promoters(USES), true);
      delete cluster.handlers[home];
    });

    it("is not guessed where the cluster does not answer", async () => {
      cluster.handlers[ACCOUNT] = (_, response) => void response.writeHead(500).end("{}");
      await assert.rejects(loginOf("qa", USES, kubeconfig), /does not answer: 500 to .*deployer-qa/);
    });
  });

  describe("a deployer in a namespace", () => {
    const CLAIM =
      "/apis/rbac.authorization.k8s.io/v1/namespaces/qa-apps/rolebindings/deployer-qa?fieldManager=platform&force=true";
    let claims: unknown[];
    let reviews: string[];
    const body = async (request: IncomingMessage): Promise<unknown> => {
      let text = "";
      for await (const chunk of request) text += String(chunk);
      return JSON.parse(text);
    };

    /** Answers one after the other, the last for ever. */
    function answering(...answers: boolean[]): void {
      claims = [];
      reviews = [];
      cluster.handlers[REVIEW] = (request, response) =>
        void body(request).then((review) => {
          reviews.push(JSON.stringify(review));
          const allowed = answers.length > 1 ? answers.shift() : answers[0];
          response.writeHead(201).end(JSON.stringify({ status: { allowed } }));
        });
      cluster.handlers[CLAIM] = (request, response) =>
        void body(request).then((claim) => {
          claims.push(claim);
          response.writeHead(201).end("{}");
        });
    }
    const enter = (): Promise<void> => namespaceEntry(kubeconfig, "qa")("qa-apps");

    it("changes nothing where it may work already", async () => {
      answering(true);
      await enter();
      assert.deepEqual([claims.length, reviews.length], [0, 1]);
      assert.match(reviews[0] ?? "", /"namespace":"qa-apps".*"networkpolicies"/);
    });

    it("takes its rights, and waits until they hold, asked several times in a row", async () => {
      answering(false, false, true, false, true, true, true);
      await enter();
      assert.deepEqual(claims, [claimOf("qa", "qa-apps")]);
      assert.equal(reviews.length, 7);
    });

    it("does not wait for ever", async () => {
      answering(false);
      await assert.rejects(
        namespaceEntry(kubeconfig, "qa", 300)("qa-apps"),
        /deployer-qa has bound its rights in qa-apps, but may still not work there after 0.3 s: is the ClusterRole/,
      );
    });

    it("is told why it may not take them", async () => {
      answering(false);
      const message =
        "the ClusterRole platform-deployer is bound in the namespaces of an environment to the deployer of it";
      cluster.handlers[CLAIM] = (_, response) => void response.writeHead(403).end(JSON.stringify({ message }));
      await assert.rejects(enter(), new RegExp(`the cluster at .* \\(context "fake-admin"\\) refuses: ${message}`));
    });
  });
});
