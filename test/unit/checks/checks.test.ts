import assert from "node:assert/strict";
import { CHECKS } from "../../../checks";
import type { Outcome } from "../../../checks/check";
import { runChecks } from "../../../checks/runner";
import { type Answers, FakeStand, IMAGE, outputsOf } from "./fakeStand";

interface PodChange {
  readonly name?: string;
  readonly node?: string;
  readonly image?: string;
  readonly imageID?: string;
  readonly labels?: object;
  readonly ready?: string;
  readonly status?: object;
}

const labelsOf = (name: string, component: string): object => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/component": component,
});

const pod = (namespace: string, change: PodChange = {}): object => ({
  metadata: { name: change.name ?? "one", namespace, labels: change.labels ?? labelsOf("web", "app") },
  spec: { nodeName: change.node ?? "node1", containers: [{ name: "app", image: change.image ?? IMAGE }] },
  status: {
    phase: "Running",
    podIP: "10.0.0.1",
    conditions: [{ type: "Ready", status: change.ready ?? "True", message: "not yet" }],
    containerStatuses: [
      {
        name: "app",
        imageID: change.imageID ?? `other.example/web@sha256:${"a".repeat(64)}`,
        restartCount: 0,
        state: { running: {} },
        lastState: {},
        ...change.status,
      },
    ],
  },
});

const items = (...list: object[]): string => JSON.stringify({ items: list });
const PAIR = [pod("dev-apps"), pod("dev-apps", { name: "two", node: "node2" })];
const pods = (...list: object[]): Answers => [["get pods -n dev-apps", items(...list)]];
const workload = (ready: number): Answers => [
  [
    "deployments,statefulsets -n dev-apps",
    items({
      metadata: { name: "web", namespace: "dev-apps" },
      spec: { replicas: 2 },
      status: { readyReplicas: ready },
    }),
  ],
];
const NODES: Answers = [["get nodes", "node/node1\nnode/node2\nnode/node3\n"]];
const OUTPUTS: Answers = [["stack output", outputsOf({ releases: { web: { image: IMAGE } } })]];
const SERVER = { labels: labelsOf("redis", "redis"), name: "redis-0" };
const servers = (...roles: string[]): Answers => [
  ["get pods -n dev-data", items(...roles.map((_, index) => pod("dev-data", { ...SERVER, name: `redis-${index}` })))],
  ...roles.map((role, index) => [`redis-${index} -c redis -- sh`, role] as const),
];
const MASTER = "role:master\r\nconnected_slaves:2\r\n";
const REPLICA = "role:slave\r\nmaster_link_status:up\r\n";
const LEVELS: Answers = [
  [
    "get namespaces",
    items(
      ...["secrets", "registry", "data", "apps"].map((name) => ({
        metadata: { name: `dev-${name}`, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
      })),
    ),
  ],
];
const QUOTA: Answers = [["resourcequotas", items({ spec: { hard: { "requests.cpu": "8" } } })]];
const state = (namespace: string): Answers => [
  [
    "stack export",
    JSON.stringify({
      deployment: {
        resources: [{ urn: "a::b::c::web", type: "kubernetes:core/v1:Pod", inputs: { metadata: { namespace } } }],
        vault: "vault:kv/secretV2:SecretV2",
      },
    }),
  ],
];
const SECRET = "a-secret-that-nobody-sees";
const yesterday = new Date(Date.now() - 86_400_000).toISOString();
const restarted = (finishedAt: string, reason = "OOMKilled", exitCode = 137): PodChange => ({
  status: { restartCount: 3, lastState: { terminated: { finishedAt, reason, exitCode } } },
});

const CLOSED: Answers[number] = ["$TLS_OPTIONS ping", "NOAUTH Authentication required."];
const RESET: Answers[number] = ["redis-cli -h localhost  ping", "Error: Connection reset by peer"];

/** The title's beginning, what the cluster answers when all is well, and what when it is not, with the reason. */
const cases: [title: string, well: Answers, ill: [Answers, RegExp][]][] = [
  [
    "every pod is ready",
    [...pods(...PAIR), ...workload(2)],
    [
      [[...pods(pod("dev-apps", { ready: "False" })), ...workload(2)], /dev-apps\/one is Running: Ready: not yet/],
      [[...pods(...PAIR), ...workload(1)], /dev-apps\/web has 1 of 2/],
      [pods(), /found no pod/],
    ],
  ],
  [
    "no container was restarted",
    pods(
      pod("dev-apps", restarted(yesterday)),
      pod("dev-apps", restarted(new Date().toISOString(), "Unknown")),
      pod("dev-apps", restarted(new Date().toISOString(), "Completed", 0)),
    ),
    [
      [
        pods(pod("dev-apps", restarted(new Date().toISOString()))),
        /one app: 3 times, at last by OOMKilled \(exit 137\)/,
      ],
      [
        pods(
          pod("dev-apps", { status: { state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } } }),
        ),
        /ImagePullBackOff no such image/,
      ],
    ],
  ],
  ["each application is as large", pods(...PAIR), [[pods(pod("dev-apps")), /web has 1 that are ready, of 2/]]],
  [
    "replicas are on nodes of their own",
    [...pods(...PAIR), ...NODES],
    [[[...pods(pod("dev-apps"), pod("dev-apps", { name: "two" })), ...NODES], /web: 2 replicas are on node1 only/]],
  ],
  [
    "applications run from the environment's registry",
    pods(...PAIR),
    [[pods(pod("dev-apps", { image: IMAGE.replace(/^[^/]*/, "10.0.0.7") })), /dev-apps\/one: 10\.0\.0\.7/]],
  ],
  [
    "every image is named by tag",
    pods(...PAIR),
    [
      [pods(pod("dev-apps", { image: "example/web:latest" })), /one: example\/web:latest/],
      [pods(pod("dev-apps", { image: IMAGE.replace(":1@", "@") })), /no tag and digest/],
    ],
  ],
  [
    "what runs is what the stack recorded",
    pods(...PAIR),
    [[pods(pod("dev-apps", { imageID: `x/web@sha256:${"b".repeat(64)}` })), /recorded with sha256:a+:\ndev-apps\/one/]],
  ],
  [
    "namespaces have one concern",
    [...pods(...PAIR), ...state("dev-apps")],
    [
      [[...pods(...PAIR), ...state("default")], /in the namespace default:\nc web/],
      [
        [["get pods -n dev-data", items(pod("dev-data"))], ...pods(...PAIR), ...state("dev-apps")],
        /app: dev-data, dev-apps/,
      ],
    ],
  ],
  [
    "every namespace refuses a pod that runs as root",
    [["dry-run", 'violates PodSecurity "restricted:latest"', 1], ...LEVELS],
    [
      [[["dry-run", "created"], ...LEVELS], /takes a pod that runs as root/],
      [[["dry-run", "no such host", 1], ...LEVELS], /for another reason: no such host/],
      [[["get namespaces", items()]], /without pod-security.*:\ndev-secrets\ndev-registry/],
    ],
  ],
  [
    "no namespace can take more",
    [["dry-run", "exceeded quota: quota, requested: requests.cpu=9", 1], ...QUOTA],
    [
      [[["dry-run", "created"], ...QUOTA], /has 8 cores, and does not refuse a pod that wants 9 .*: it takes it/],
      [[], /found no quota in dev-/],
    ],
  ],
  [
    "no server of Redis answers",
    [CLOSED, RESET, ...servers(MASTER)],
    [
      [[[CLOSED[0], "PONG"], RESET, ...servers(MASTER)], /redis-0 answers a client without a login: PONG/],
      [[CLOSED, [RESET[0], "NOAUTH"], ...servers(MASTER)], /redis-0 answers a client without TLS: NOAUTH/],
      [[], /found no server of Redis/],
    ],
  ],
  [
    "every master of Redis",
    servers(MASTER, REPLICA, REPLICA),
    [
      [servers(MASTER, REPLICA), /2 servers are ready, of 3/],
      [servers(MASTER, MASTER, REPLICA), /2 servers are master, of 1/],
      [servers(MASTER, REPLICA, REPLICA.replace("up", "down")), /redis-2 does not follow/],
      [servers(MASTER.replace("2", "1"), REPLICA, REPLICA), /redis-0 has 1 replicas, of 2/],
    ],
  ],
  [
    "no secret of Vault is in a ConfigMap",
    [["configmaps,", items({ kind: "ConfigMap", metadata: { name: "web", namespace: "dev-apps" } })]],
    [
      [
        [["configmaps,", items({ kind: "ConfigMap", metadata: { name: "web", namespace: "dev-apps" }, data: SECRET })]],
        /in the open:\nConfigMap dev-apps\/web/,
      ],
      [[], /found no text/],
    ],
  ],
  [
    "no secret of Vault is in a log",
    [["logs", "fine"], ...pods(...PAIR)],
    [[[["logs", SECRET], ...pods(...PAIR)], /the log of dev-apps\/one/]],
  ],
  [
    "no secret of Vault is in the arguments",
    [["exec", "server --port 1"], ...pods(...PAIR)],
    [
      [[["exec", `server ${SECRET}`], ...pods(...PAIR)], /a process of dev-apps\/one app/],
      [[["exec", "no shell", 1], ...pods(...PAIR)], /found no text/],
    ],
  ],
  [
    "no secret of Vault is in the state",
    state("dev-apps"),
    [
      [[["stack export", `vault:kv/secretV2:SecretV2 ${SECRET}`]], /in the open:\nthe state/],
      [[["stack export", "{}"]], /the state says nothing of Vault/],
    ],
  ],
  [
    "every secret of Vault that is asked for",
    [
      [
        "externalsecrets",
        items({
          metadata: { name: "a", namespace: "dev-apps" },
          status: { conditions: [{ type: "Ready", status: "True" }] },
        }),
      ],
    ],
    [
      [
        [
          [
            "externalsecrets",
            items({
              metadata: { name: "a", namespace: "dev-apps" },
              status: { conditions: [{ type: "Ready", status: "False", message: "denied" }] },
            }),
          ],
        ],
        /dev-apps\/a: denied/,
      ],
      [[["externalsecrets", items({ metadata: { name: "a", namespace: "dev-apps" } })]], /nothing said yet/],
    ],
  ],
  [
    "no Secret holds a token",
    [["get secrets", items({ metadata: { name: "a", namespace: "dev-apps" }, data: { k: "Zm9v" } })]],
    [
      [
        [
          [
            "get secrets",
            items({
              metadata: { name: "a", namespace: "dev-apps" },
              data: { k: Buffer.from("hvs.x").toString("base64") },
            }),
          ],
        ],
        /holds a token of Vault:\ndev-apps\/a/,
      ],
    ],
  ],
  [
    "every Secret of the applications",
    [
      [
        "get secrets",
        items({ metadata: { name: "a", namespace: "dev-apps", ownerReferences: [{ kind: "ExternalSecret" }] } }),
      ],
    ],
    [[[["get secrets", items({ metadata: { name: "a", namespace: "dev-apps" } })]], /not from Vault:\ndev-apps\/a/]],
  ],
  ["the program asks for nothing", [["preview", "ok"]], [[[["preview", "1 to update", 255]], /1 to update/]]],
];

describe("the checks", function () {
  this.timeout(30_000);
  const look = async (title: string, answers: Answers): Promise<Outcome> => {
    const check = CHECKS.find((each) => each.title.startsWith(title));
    assert.ok(check, title);
    const stand = FakeStand.make([...answers, ...OUTPUTS]);
    await stand.once("secret values", () => Promise.resolve([SECRET]));
    try {
      const [outcome] = await runChecks([check], stand, { atOnce: 1 });
      return outcome as Outcome;
    } finally {
      stand.remove();
    }
  };

  for (const [title, well, ill] of cases) {
    it(`${title} …: passes and fails`, async () => {
      const passed = await look(title, well);
      assert.equal(passed.status, "pass", passed.detail);
      for (const [answers, reason] of ill) {
        const failed = await look(title, answers);
        assert.equal(failed.status, "fail", String(reason));
        assert.match(failed.detail, reason);
        assert.ok(!failed.detail.includes(SECRET), "the reason shows the secret");
      }
    });
  }

  it("write nothing: what they send to the cluster is a dry run", async () => {
    const stand = FakeStand.make([...LEVELS, ...QUOTA, ...OUTPUTS]);
    await runChecks(
      CHECKS.filter(({ title }) => /namespace/.test(title)),
      stand,
      { atOnce: 4 },
    );
    // A review is a question, of which nothing is kept.
    const sent = stand.asked.filter(({ input }) => input && !input.includes("SubjectAccessReview"));
    stand.remove();
    assert.ok(sent.length > 0);
    assert.deepEqual(
      sent.filter(({ asked }) => !asked.includes("--dry-run=server")),
      [],
    );
  });
});
