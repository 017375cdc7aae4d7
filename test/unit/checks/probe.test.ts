import assert from "node:assert/strict";
import { withProbe, settled, sweep } from "../../../checks/probe";
import { type Answers, FakeStand, outputsOf } from "./fakeStand";

const THERE: Answers = [
  ["get pod ", JSON.stringify({ spec: { nodeName: "node1" }, status: { podIP: "10.0.0.9" } })],
  ["exec", "open 10.0.0.1:80\nclosed 10.0.0.2:80\n"],
  ["stack output", outputsOf()],
];
const PLACE = { role: "insider", namespace: "dev-apps", labels: { app: "web" } };

describe("a probe", () => {
  let stand: FakeStand;
  beforeEach(() => (stand = FakeStand.make(THERE)));
  afterEach(() => stand.remove());

  const asked = (part: string): string[] => stand.asked.map((each) => each.asked).filter((each) => each.includes(part));

  it("says what is open, from a pod that no Service takes for a server and that ends by itself", async () => {
    const places = ["10.0.0.1:80", "10.0.0.2:80"];
    const found = await withProbe(stand, PLACE, async (probe) => [probe.ip, probe.node, await probe.open(places)]);
    assert.deepEqual(found, ["10.0.0.9", "node1", ["10.0.0.1:80"]]);
    const { metadata, spec } = JSON.parse(stand.asked.find(({ input }) => input)?.input ?? "") as {
      metadata: { name: string; labels: object };
      spec: { readinessGates: object[]; activeDeadlineSeconds: number; containers: { ports?: object }[] };
    };
    assert.deepEqual(metadata.labels, { app: "web", "platform/check": stand.run });
    assert.ok(metadata.name.endsWith(stand.run));
    assert.equal(spec.readinessGates.length, 1);
    assert.ok(spec.activeDeadlineSeconds > 0);
    assert.equal(spec.containers[0]?.ports, undefined);
  });

  it("is gone when its check is done, failed, or could not have it at all", async () => {
    await withProbe(stand, PLACE, () => Promise.resolve());
    await assert.rejects(
      withProbe(stand, PLACE, () => Promise.reject(new Error("seen"))),
      /^Error: seen$/,
    );
    stand.answers = [["wait", "timed out", 1], ...THERE];
    await assert.rejects(
      withProbe(stand, PLACE, () => Promise.resolve()),
      /timed out/,
    );
    stand.answers = [["create", "exceeded quota", 1], ...THERE];
    await assert.rejects(
      withProbe(stand, PLACE, () => Promise.resolve()),
      /exceeded quota/,
    );
    assert.equal(asked("create").length, 4);
    assert.deepEqual(asked("delete"), Array(4).fill(asked("delete")[0]));
    assert.match(asked("delete")[0] ?? "", new RegExp(`delete pod check-insider-${stand.run} -n dev-apps`));
  });

  it("takes no silence for a refusal", async () => {
    const places = ["10.0.0.1:80", "10.0.0.3:80"];
    await assert.rejects(
      withProbe(stand, PLACE, (probe) => probe.open(places)),
      /says nothing about 10\.0\.0\.3:80/,
    );
    stand.answers = [["exec", "no such pod", 1], ...THERE];
    await assert.rejects(
      withProbe(stand, PLACE, (probe) => probe.open(places)),
      /no such pod/,
    );
  });

  it("of an interrupted run is swept away, and those of earlier runs once they have ended", async () => {
    await sweep(stand);
    for (const namespace of ["secrets", "registry", "data", "apps"])
      assert.equal(asked(`platform/check=${stand.run} -n dev-${namespace}`).length, 1, namespace);
    assert.equal(asked("status.phase=Failed -n dev-apps").length, 1);
  });
});

describe("a look that may have to be repeated", () => {
  it("ends when it finds what is wanted, or gives what it found last", async () => {
    let looks = 0;
    const look = (): Promise<number> => Promise.resolve(++looks);
    assert.equal(await settled(look, (found) => found === 2, 5000), 2);
    assert.equal(await settled(look, () => false, 0), 3);
  });
});
