import assert from "node:assert/strict";
import type { Outcome } from "../../../checks/check";
import { postgresChecks } from "../../../checks/postgres";
import { runChecks } from "../../../checks/runner";
import { type Answers, FakeStand, outputsOf } from "./fakeStand";

const SECRET = "a-secret-that-nobody-sees";
const APPS = { "platform:apps": { web: { source: "apps/web", port: 3000, postgres: true } } };
const OUTPUTS: Answers = [["stack output", outputsOf()]];

const server = (ordinal: number): object => ({
  metadata: {
    name: `postgres-${ordinal}`,
    namespace: "dev-data",
    labels: { "app.kubernetes.io/name": "postgres", "app.kubernetes.io/component": "postgres" },
  },
  spec: { containers: [] },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
});
const servers = (count: number): Answers => [
  ["get pods -n dev-data", JSON.stringify({ items: Array.from({ length: count }, (_, ordinal) => server(ordinal)) })],
];
const SERVERS = servers(1);

const REFUSED: Answers = [
  ["sh disable admin", "no pg_hba.conf entry for host, no encryption"],
  ["sh verify-full postgres postgres", "pg_hba.conf rejects connection"],
  ["sh verify-full admin", "password authentication failed"],
];
const LOGIN = ["ADMIN_USERNAME=admin", `ADMIN_PASSWORD=${SECRET}`, "HOME=/"].join("\n");
const FIGURES = 'pg_role_connections{role="web"} 1\npg_up 1\n';

/** The title's beginning, what the cluster answers when all is well, and what when it is not, with the reason. */
const cases: [title: string, well: Answers, ill: [Answers, RegExp][]][] = [
  [
    "the servers of Postgres have the administrator's",
    [["postgres-0 -c postgres", LOGIN]],
    [
      [[["postgres-0 -c postgres", LOGIN.replace(SECRET, `${SECRET}x`)]], /is not Vault's/],
      [[["postgres-0 -c postgres", LOGIN.replace("ADMIN_USERNAME", "USERNAME")]], /has no ADMIN_USERNAME/],
    ],
  ],
  [
    "each application gets into its own database",
    [
      ["sh verify-full web web", "web"],
      ["sh verify-full web", "FATAL: permission denied for database"],
    ],
    [
      [[["sh verify-full web", "password authentication failed"]], /web is not let into web: password/],
      [
        [
          ["sh verify-full web web", "web"],
          ["sh verify-full web", "template1"],
        ],
        /web is not kept out of postgres/,
      ],
    ],
  ],
  [
    "no server of Postgres takes",
    REFUSED,
    [
      [[["sh disable admin", "postgres"], ...REFUSED], /answers a client in the open: postgres/],
      [[["sh verify-full postgres", "postgres"], ...REFUSED], /lets the superuser come over the network/],
      [[["sh verify-full admin", "postgres"], ...REFUSED], /takes a wrong password/],
    ],
  ],
  [
    "every server of Postgres is up",
    [["9187", FIGURES]],
    [
      [[["9187", FIGURES.replace("pg_up 1", "pg_up 0")]], /does not say \^pg_up 1/],
      [[["9187", "pg_up 1\n"]], /does not say \^pg_role_connections/],
    ],
  ],
];

async function look(title: string, answers: Answers, postgres: object = { mode: "single" }): Promise<Outcome> {
  const check = postgresChecks.find((each) => each.title.startsWith(title));
  assert.ok(check, title);
  const stand = FakeStand.make([...answers, ...OUTPUTS], { "platform:postgres": postgres, ...APPS });
  for (const login of ["admin", "web"])
    await stand.once(`kept postgres/${login}`, () => Promise.resolve({ [login]: SECRET }));
  try {
    const [outcome] = await runChecks([check], stand, { atOnce: 1 });
    return outcome as Outcome;
  } finally {
    stand.remove();
  }
}

describe("the checks of Postgres", () => {
  for (const [title, well, ill] of cases)
    it(`${title} …: passes and fails`, async () => {
      const passed = await look(title, [...well, ...SERVERS]);
      assert.equal(passed.status, "pass", passed.detail);
      for (const [answers, reason] of [...ill, [[], /found no server of Postgres/] as const]) {
        const failed = await look(title, answers.length > 0 ? [...answers, ...SERVERS] : []);
        assert.equal(failed.status, "fail", String(reason));
        assert.match(failed.detail, reason);
        assert.ok(!failed.detail.includes(SECRET), "the reason shows the secret");
      }
    });

  it("see whether every copy follows", async () => {
    const replicated = { mode: "replicated", replicas: 2 };
    const says = (...said: string[]): Answers => [
      ...said.map((each, ordinal) => [`postgres-${ordinal} -c postgres`, each] as const),
      ...servers(said.length),
    ];
    const seen = (...said: string[]): Promise<Outcome> => look("every copy of Postgres", says(...said), replicated);
    assert.equal((await seen("", "2 follow, 1 closely", "")).status, "pass");
    assert.equal((await look("every copy of Postgres", says(""))).status, "skip");
    for (const [said, reason] of [
      [["2 follow, 1 closely", ""], /^2 servers are ready, of 3$/],
      [["", "", ""], /^0 servers take writes, of 1$/],
      [["2 follow, 1 closely", "0 follow, 0 closely", ""], /^2 servers take writes, of 1$/],
      [["1 follow, 1 closely", "", ""], /^1 follow, 1 closely, of 2$/],
      [["2 follow, 0 closely", "", ""], /^2 follow, 0 closely, of 2$/],
    ] as const) {
      const { status, detail } = await seen(...said);
      assert.equal(status, "fail");
      assert.match(detail, reason);
    }
  });

  it("look at none where the stack has none, or where it is somebody else's", async () => {
    const external = { "platform:postgres": { external: { host: "db.example", addresses: ["192.0.2.1/32"] } } };
    for (const config of [{}, { ...external, ...APPS }]) {
      const stand = FakeStand.make(OUTPUTS, config);
      const outcomes = await runChecks(postgresChecks, stand, { atOnce: 4 });
      stand.remove();
      assert.ok(outcomes.length > 0 && outcomes.every(({ status }) => status === "skip"), JSON.stringify(outcomes));
    }
  });
});
