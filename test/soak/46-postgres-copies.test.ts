import assert from "node:assert/strict";
import { PRIMARY, ROLE_LABEL } from "../../components/postgres/patroni";
import { DATA, PostgresScene, ask, makeClient, whileWriting } from "./postgresScene";
import { broughtUp, eventually, kubectl } from "../live/world";

/** Seconds: the lease of a server that is gone, and what a copy needs to take over. */
const TAKEOVER_S = 45;
const ROUNDS = Number(process.env.PLATFORM_TEST_POSTGRES_ROUNDS ?? 1);

describe("postgres: copies that take over", function () {
  this.timeout(1_200_000);
  let scene: PostgresScene;

  before(async () => {
    await broughtUp();
    scene = await PostgresScene.make();
    await scene.clear();
    await scene.up({ mode: "single", storage: "1Gi" });
    await makeClient();
    await ask("CREATE TABLE things (id int PRIMARY KEY)");
    await ask("INSERT INTO things VALUES (-1)");
  });
  after(async () => {
    await scene?.clear();
    await scene?.end();
  });

  const primary = async (): Promise<string> => {
    const led = ["get", "pods", "-n", DATA, "-l", `app.kubernetes.io/name=postgres,${ROLE_LABEL}=${PRIMARY}`];
    return (await kubectl([...led, "-o", "jsonpath={.items[*].metadata.name}"])).trim();
  };

  /** All copies follow, and one may succeed. */
  const settled = (): Promise<void> => eventually(() => scene.verified(), 180_000);

  it("[001.3] come to a single server by an update, with its rows", async () => {
    await scene.up({ mode: "replicated", storage: "1Gi" });
    await settled();
    assert.equal(await ask("SELECT count(*) FROM things WHERE id = -1"), "1");
    await scene.unchanged();
  });

  for (let round = 1; round <= ROUNDS; round++) {
    it(`take over from a server that is gone, with every confirmed row (round ${round})`, async () => {
      const old = await primary();
      const gap = await whileWriting(async () => {
        await kubectl(["delete", "pod", old, "-n", DATA, "--force", "--grace-period=0"]);
        await settled();
      });
      console.log(`      ${old} gone: no write for ${gap.toFixed(1)} s`);
      assert.ok(gap < TAKEOVER_S, `no write for ${gap} s`);
    });

    it(`take over from a server that stops, with every confirmed row (round ${round})`, async () => {
      const old = await primary();
      const gap = await whileWriting(async () => {
        await kubectl(["delete", "pod", old, "-n", DATA, "--wait=true"]);
        await settled();
      });
      assert.notEqual(await primary(), old);
      console.log(`      ${old} stopped: no write for ${gap.toFixed(1)} s`);
      assert.ok(gap < 20, `no write for ${gap} s`);
    });
  }

  it("find one that takes the writes after all pods were gone at once, with every confirmed row", async () => {
    const pods = ["postgres-0", "postgres-1", "postgres-2"];
    const gap = await whileWriting(async () => {
      await kubectl(["delete", "pod", ...pods, "-n", DATA, "--force", "--grace-period=0"]);
      await settled();
    });
    console.log(`      all pods gone: no write for ${gap.toFixed(1)} s`);
  });

  it("are copied anew where a volume is lost", async () => {
    const old = await primary();
    const lost = ["postgres-2", "postgres-1"].find((pod) => pod !== old) ?? "";
    await kubectl(["delete", "pvc", `data-${lost}`, "-n", DATA, "--wait=false"]);
    await kubectl(["delete", "pod", lost, "-n", DATA, "--wait=true"]);
    await settled();
    assert.equal(await primary(), old);
  });
});
