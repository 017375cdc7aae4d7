import assert from "node:assert/strict";
import { askVault, deployerToken, readKept } from "../../checks/vault";
import { type Forwarded, forward } from "../live/forward";
import {
  APP,
  DATA,
  PostgresScene,
  ROLE,
  STACK,
  ask,
  askAsStranger,
  makeClient,
  makeStranger,
  refusal,
  whileWriting,
} from "./postgresScene";
import { broughtUp, eventually, get, kubectl } from "../live/world";

const SERVER = "postgres-0";

describe("postgres: a database for an application", function () {
  this.timeout(900_000);
  let scene: PostgresScene;

  before(async () => {
    await broughtUp();
    scene = await PostgresScene.make();
    await scene.up({ mode: "single", storage: "1Gi" });
    await makeClient();
  });
  after(() => scene?.end());

  const uid = (): Promise<string> => kubectl(["get", "pod", SERVER, "-n", DATA, "-o", "jsonpath={.metadata.uid}"]);

  it("[001.3] takes rows over TLS, and has them still after its pod was deleted", async () => {
    assert.equal(await ask("SELECT current_user || ' ' || current_database()"), `${ROLE} ${ROLE}`);
    assert.equal(await ask("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "t");
    await ask("CREATE TABLE things (id int PRIMARY KEY)");
    const gap = await whileWriting(async () => {
      await kubectl(["delete", "pod", SERVER, "-n", DATA, "--wait=true"]);
      await kubectl(["wait", "--for=condition=Ready", `pod/${SERVER}`, "-n", DATA, "--timeout=120s"]);
    });
    console.log(`      pod deleted: no write for ${gap.toFixed(1)} s`);
    await kubectl(["delete", "pod", SERVER, "-n", DATA, "--force", "--grace-period=0"]);
    await eventually(() => ask("SELECT count(*) FROM things"), 120_000);
  });

  it("[002.2] [002.5] [002.6] [001.14] holds what verify looks at", () => scene.verified());

  it("changes nothing in a second update", () => scene.unchanged());

  it("[002.3] is out of reach for a pod that is not connected to it", async () => {
    await makeStranger();
    await assert.rejects(askAsStranger("SELECT 1"), /timeout expired/);
    assert.equal(await ask("SELECT 1"), "1");
  });

  it("refuses what comes in the open, without a password, or as the superuser", async () => {
    assert.match(await refusal("PGSSLMODE=disable"), /no encryption/);
    assert.match(await refusal("PGPASSWORD=wrong"), /password authentication failed/);
    assert.match(await refusal("PGUSER=postgres PGDATABASE=postgres"), /pg_hba.conf rejects/);
    assert.match(await refusal("PGDATABASE=postgres"), /permission denied for database/);
  });

  it("[001.14] [003.17] follows a password that was changed in Vault alone, and no pod restarts", async () => {
    const stand = await scene.stand();
    const token = await deployerToken(stand);
    const place = `postgres/${APP}`;
    const old = (await readKept(stand, token, place))[ROLE] ?? "";
    const before = await uid();
    const changed = `${old}-changed`;
    const { status } = await askVault(stand, "POST", `kv/data/${place}`, token, { data: { [ROLE]: changed } });
    assert.equal(status, 200);
    const start = Date.now();
    await eventually(async () => assert.equal(await refusal("", changed), "1"), 240_000);
    console.log(`      the new password was taken after ${Math.round((Date.now() - start) / 1000)} s`);
    assert.match(await refusal("", old), /password authentication failed/);
    assert.equal(await uid(), before);
    await scene.unchanged();
    await makeClient();
    assert.equal(await ask("SELECT 1"), "1");
  });

  describe("watched", () => {
    let prometheus: Forwarded;
    before(async () => (prometheus = await forward(`${STACK}-monitoring`, "prometheus-prometheus-0", 9090)));
    after(() => prometheus?.stop());

    it("[002.6] [002.7] is up by its exporter, and its target too", async () => {
      for (const query of ['pg_up{job="postgres"}', 'up{job="postgres"}'])
        await eventually(async () => {
          const { body } = await get(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`);
          const { data } = JSON.parse(body) as { data: { result: { value: [number, string] }[] } };
          assert.deepEqual(
            data.result.map(({ value }) => value[1]),
            ["1"],
            query,
          );
        }, 120_000);
    });
  });
});
