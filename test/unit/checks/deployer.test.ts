import assert from "node:assert/strict";
import type { Outcome } from "../../../checks/check";
import { deployerChecks, mintersRights, rightsOf } from "../../../checks/deployer";
import { runChecks } from "../../../checks/runner";
import { type Answers, FakeStand, outputsOf } from "./fakeStand";

const OWN = ["dev-secrets", "dev-registry", "dev-data", "dev-apps"];
const NAMESPACES = [...OWN, "qa-apps", "kube-system"];
const [RIGHTS, REQUESTS, TOKENS] = deployerChecks;

const list = (...names: string[]): string =>
  JSON.stringify({
    items: names.map((name) => ({ metadata: { name, labels: { "platform/environment": name.split("-")[0] } } })),
  });
const PLACE: Answers = [
  ["get serviceaccounts -n platform-deployers", list("default", "deployer-dev", "deployer-qa")],
  ["get namespaces", list(...NAMESPACES)],
];

async function look(check: (typeof deployerChecks)[number] | undefined, answers: Answers): Promise<Outcome> {
  assert.ok(check);
  const stand = FakeStand.make([...answers, ...PLACE, ["stack output", outputsOf()]]);
  const [outcome] = await runChecks([check], stand, { atOnce: 1 });
  stand.remove();
  return outcome as Outcome;
}

const saying = (answers: readonly boolean[]): string => answers.map((each) => `${each}\n`).join("");

describe("a stack that has no deployer", () => {
  it("has nothing that could be looked at", async () => {
    for (const check of deployerChecks) {
      const { status, detail } = await look(check, [["get serviceaccounts -n platform-deployers", list("default")]]);
      assert.deepEqual([status, detail], ["skip", "dev has no deployer of its own (platform:deployers)"]);
    }
  });
});

describe("the rights of a deployer on the cluster", () => {
  const rights = rightsOf("dev", OWN, NAMESPACES);
  const answering = (answers: readonly boolean[]): Answers => [
    [/SubjectAccessReview[^]*"system:serviceaccount:platform-deployers:deployer-dev"/, saying(answers)],
  ];

  it("are those that it should have", async () => {
    const { status, detail } = await look(RIGHTS, answering(rights.map(({ may }) => may)));
    assert.deepEqual([status, detail], ["pass", `${rights.length} rights`]);
  });

  it("are named where they differ", async () => {
    for (const [index, right] of rights.entries()) {
      if (index % 7 > 0) continue;
      const { status, detail } = await look(RIGHTS, answering(rights.map(({ may }, at) => may !== (at === index))));
      assert.equal(status, "fail");
      assert.match(detail, right.may ? /: refused$/ : /: allowed$/);
    }
  });

  it("include Secrets of its own namespaces only", () => {
    const secrets = rights.filter(({ resource, verb }) => resource === "secrets" && verb === "get");
    const allowed = secrets.filter(({ may }) => may).map(({ namespace }) => namespace);
    assert.deepEqual([allowed, secrets.length], [OWN, NAMESPACES.length]);
  });
});

describe("the requests of a deployer", () => {
  const denied = (what: string): string => `denied request: ${what}`;
  const sound: [string, RegExp, string, number][] = [
    ["read Secrets in dev-apps", /get secrets -n dev-apps --as system/, "", 0],
    [
      "read Secrets in qa-apps",
      /get secrets -n qa-apps --as system/,
      "Error from server (Forbidden): secrets is forbidden",
      1,
    ],
    ["take an address", /dry-run[^]*"Service"/, denied("has no addresses of its own (externalIPs)"), 1],
    ["write into dev-apps", /create --dry-run=server -f - -n dev-apps[^]*"ConfigMap"/, "", 0],
    ["write into qa-apps", /create --dry-run=server -f - -n qa-apps[^]*"ConfigMap"/, "configmaps is forbidden", 1],
    [
      "take its rights in qa-apps",
      /apply --server-side --dry-run[^]*"RoleBinding"/,
      denied("of that environment, and nowhere else."),
      1,
    ],
    [
      "let any pod into dev-apps",
      /label namespace dev-apps/,
      denied("enforces the Pod Security profile restricted, of"),
      1,
    ],
  ];
  const answers = (wrong?: string): Answers =>
    sound.map(
      ([what, pattern, text, code]) =>
        (what === wrong ? [pattern, "no", 1 - code] : [pattern, text, code]) as Answers[number],
    );

  it("are told what they should be", async () => {
    const { status, detail } = await look(REQUESTS, answers());
    assert.deepEqual([status, detail], ["pass", `${sound.length} requests`]);
  });

  for (const [what] of sound)
    it(`fail where it is otherwise to ${what}`, async () => {
      const { status, detail } = await look(REQUESTS, answers(what));
      assert.equal(status, "fail");
      assert.ok(detail.includes(what), detail);
    });

  it("change nothing", async () => {
    const stand = FakeStand.make([...answers(), ...PLACE, ["stack output", outputsOf()]]);
    await runChecks(deployerChecks.slice(1, 2), stand, { atOnce: 1 });
    const writing = stand.asked.filter(({ asked }) => /^(create|apply|label)/.test(asked));
    stand.remove();
    assert.equal(writing.length, 5);
    for (const { asked } of writing) assert.match(asked, /--dry-run=server/);
  });
});

describe("the tokens of a deployer", () => {
  const rights = mintersRights("dev", OWN, ["qa"]);
  const token = (sub: string, seconds: number): string =>
    ["{}", JSON.stringify({ sub, iat: 1000, exp: 1000 + seconds }), ""]
      .map((part) => Buffer.from(part).toString("base64url"))
      .join(".");
  const OWNER = "system:serviceaccount:platform-deployers:deployer-dev";
  const answers = (minted: string, may = rights.map((right) => right.may)): Answers => [
    [/SubjectAccessReview[^]*"platform:dev-deployers"/, saying(may)],
    [/create token deployer-dev .*--as check --as-group platform:dev-deployers/, minted],
  ];

  it("are given to its group, which may do nothing else, for minutes", async () => {
    const { status, detail } = await look(TOKENS, answers(token(OWNER, 600)));
    assert.deepEqual([status, detail], ["pass", "tokens of 600 s"]);
  });

  it("are not another's, and do not last", async () => {
    const cases: [string, RegExp][] = [
      [token(OWNER, 86_400), /the token lasts 86400 s/],
      [token("system:admin", 600), /the token is system:admin's/],
    ];
    for (const [minted, reason] of cases) assert.match((await look(TOKENS, answers(minted))).detail, reason);
  });

  it("are all that its group is given", async () => {
    for (const index of rights.keys()) {
      const may = rights.map((right, at) => right.may !== (at === index));
      const { status, detail } = await look(TOKENS, answers(token(OWNER, 600), may));
      assert.equal(status, "fail");
      assert.match(detail, /platform:dev-deployers may do more, or less, than log in/);
    }
  });
});
