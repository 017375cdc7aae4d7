import assert from "node:assert/strict";
import { accessChecks, rightsOf } from "../../../checks/access";
import type { Outcome } from "../../../checks/check";
import { runChecks } from "../../../checks/runner";
import { type Answers, FakeStand, outputsOf } from "./fakeStand";

const NAMESPACES = ["dev-apps", "dev-data", "qa-apps", "kube-system"];
const [RIGHTS, REQUESTS] = accessChecks;

async function look(check: (typeof accessChecks)[number] | undefined, answers: Answers): Promise<Outcome> {
  assert.ok(check);
  const stand = FakeStand.make([...answers, ["stack output", outputsOf()]]);
  const [outcome] = await runChecks([check], stand, { atOnce: 1 });
  stand.remove();
  return outcome as Outcome;
}

describe("the rights of a developer", () => {
  const items = NAMESPACES.map((name) => ({ metadata: { name } }));
  const rights = rightsOf("dev-apps", NAMESPACES, false);
  const answering = (answers: readonly boolean[]): Answers => [
    ["get namespaces", JSON.stringify({ items })],
    [/SubjectAccessReview[^]*platform:dev-developers/, answers.map((each) => `${each}\n`).join("")],
  ];

  it("are those that it should have", async () => {
    const { status, detail } = await look(RIGHTS, answering(rights.map((right) => right.may)));
    assert.equal(status, "pass", detail);
  });

  it("are named one by one where they differ", async () => {
    for (const [index, right] of rights.entries()) {
      const { status, detail } = await look(RIGHTS, answering(rights.map((each, at) => each.may !== (at === index))));
      assert.equal(status, "fail");
      assert.match(detail, right.may ? /: refused$/ : /: allowed$/);
      assert.ok(detail.includes(`${right.verb} ${right.resource}`), detail);
    }
  });

  it("are not guessed from an answer too few", async () => {
    assert.match((await look(RIGHTS, answering([true]))).detail, /questions, and these answers: true/);
  });

  it("never include a Secret, wherever", () => {
    const secrets = rights.filter(({ resource }) => resource === "secrets");
    assert.ok(secrets.length > 3 * NAMESPACES.length);
    assert.ok(secrets.every((each) => !each.may));
  });

  it("lead into pods where the stack lets them", () => {
    const inside = (exec: boolean): boolean[] =>
      rightsOf("dev-apps", NAMESPACES, exec).flatMap((each) => (each.subresource === "exec" ? [each.may] : []));
    assert.deepEqual(
      [inside(false), inside(true)],
      [
        [false, false],
        [true, true],
      ],
    );
  });
});

describe("the requests of a developer", () => {
  const named = (name: string, spec?: object): object => ({ metadata: { name }, spec });
  const list = (...items: object[]): string => JSON.stringify({ items });
  const web = named("web", { template: { spec: { containers: [{ envFrom: [{ secretRef: { name: "s" } }] }] } } });
  const no = (what: string): string => `denied request: a developer may not ${what}`;
  const sound: [string, RegExp, string, number][] = [
    ["list Secrets", /get secrets.*--as-group platform:dev-developers/, 'secrets is forbidden: User "check"', 1],
    ["a Secret as a volume", /dry-run[^]*"secretName"/, no("give a Secret to a pod as a volume"), 1],
    ["a pod with a Secret", /dry-run[^]*"envFrom"/, no("give a Secret to a container"), 1],
    ["expose a Service", /dry-run[^]*"LoadBalancer"/, no("expose a Service"), 1],
    [
      "as reader",
      /dry-run[^]*"serviceAccountName":"reader"/,
      no("run a pod as another ServiceAccount than default"),
      1,
    ],
    ["show its environment", /patch.*"value":\["env"\]/, no("give a Secret to a container"), 1],
    ["restart web", /patch.*restartedAt/, "", 0],
    ["scale web", /scale deployment web/, "", 0],
    ["make a pod", /dry-run[^]*"kind":"Pod"/, "", 0],
  ];
  const objects: Answers = [
    ["get serviceaccounts", list(named("default"), named("reader"))],
    ["get deployments", list(web)],
  ];
  const answers = (wrong?: string): Answers => [
    ...sound.map(
      ([what, pattern, text, code]) =>
        (what === wrong ? [pattern, "no", 1 - code] : [pattern, text, code]) as Answers[number],
    ),
    ...objects,
  ];

  it("are told what they should be", async () => {
    const { status, detail } = await look(REQUESTS, answers());
    assert.equal(status, "pass", detail);
    assert.equal(detail, `${sound.length} requests`);
  });

  for (const [what] of sound)
    it(`fail where it is otherwise to ${what}`, async () => {
      const { status, detail } = await look(REQUESTS, answers(what));
      assert.equal(status, "fail");
      assert.ok(detail.includes(what), detail);
    });

  it("change nothing", async () => {
    const stand = FakeStand.make([...answers(), ["stack output", outputsOf()]]);
    await runChecks(accessChecks.slice(1), stand, { atOnce: 1 });
    const writing = stand.asked.filter(({ asked }) => /^(create|patch|scale|delete)/.test(asked));
    stand.remove();
    assert.ok(writing.length >= 8);
    for (const { asked } of writing) assert.match(asked, /--dry-run=server/);
  });
});
