import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Watch } from "../src/watch";
import { Scene, closedPort, endpoint, eventually } from "./scene";

const pace = { intervalMs: 60_000, timeoutMs: 1000 };

describe("a watch", () => {
  const scene = new Scene();
  after(() => scene.strike());

  /** Starts, and stops after the first round. */
  async function once(watch: Watch): Promise<Watch> {
    await watch.start();
    await eventually("the first round is over", () => watch.rounds > 0);
    await watch.stop();
    return watch;
  }

  it("sees within one interval that an endpoint goes down, and that it is up again", async () => {
    let status = 200;
    const web = endpoint(await scene.serve((_, response) => response.writeHead(status).end()));
    const watch = new Watch({ endpoints: [web], intervalMs: 100, timeoutMs: 100 });
    await watch.start();
    const turns = async (state: string): Promise<void> => {
      const rounds = watch.rounds;
      await eventually(state, () => watch.historyOf(web).state === state);
      // One round may have been under way.
      assert.ok(watch.rounds - rounds <= 2, `${watch.rounds - rounds} rounds`);
    };
    await turns("up");
    status = 503;
    await turns("down");
    status = 200;
    await turns("up");
    await watch.stop();
    const { rounds } = watch;
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal(watch.rounds, rounds, "it goes on after its end");
  });

  it("does not let a silent endpoint hold up the others", async () => {
    const silent = endpoint(await scene.serve(() => undefined), "silent");
    const web = endpoint(await scene.serve((_, response) => response.end()));
    const watch = new Watch({ ...pace, endpoints: [silent, web] });
    await watch.start();
    await eventually("the other is up", () => watch.historyOf(web).state === "up", 900);
    assert.equal(watch.rounds, 0);
    await watch.stop();
    assert.equal(watch.historyOf(silent).reason, "no answer in 1 s");
  });

  it("knows after a new start what was, and forgets what is watched no more", async () => {
    const file = join(scene.dir, "kept.json");
    const port = await scene.serve((_, response) => response.end());
    const [web, shop] = [endpoint(port), endpoint(port, "shop")];
    const first = await once(new Watch({ ...pace, endpoints: [web, shop], file }));
    const gone = { ...web, connect: { host: "127.0.0.1", port: await closedPort() } };
    const second = await once(new Watch({ ...pace, endpoints: [gone], file }));
    assert.ok(first.savedAt > 0);
    const { state, beats } = second.historyOf(gone);
    // Without what was kept it would be one that never answered.
    assert.deepEqual([state, beats.map(({ up }) => up)], ["down", [true, false]]);
    const { endpoints } = JSON.parse(readFileSync(file, "utf8")) as { endpoints: object };
    assert.deepEqual(Object.keys(endpoints), ["dev/web"]);
    assert.equal(existsSync(`${file}.new`), false);
  });

  it("sets a broken file aside, and begins anew", async () => {
    const web = endpoint(await scene.serve((_, response) => response.end()));
    for (const text of [
      '{"version":1,"endpoints":{"dev/web',
      '{"version":2}',
      '{"version":1,"endpoints":{"dev/web":{}}}',
    ]) {
      const file = join(scene.dir, "broken.json");
      writeFileSync(file, text);
      const watch = await once(new Watch({ ...pace, endpoints: [web], file }));
      assert.equal(watch.historyOf(web).state, "up");
      assert.equal(readFileSync(`${file}.broken`, "utf8"), text);
    }
  });

  it("goes on where the history cannot be kept, and does not start where it cannot be read", async () => {
    const web = endpoint(await scene.serve((_, response) => response.end()));
    const nowhere = await once(new Watch({ ...pace, endpoints: [web], file: join(scene.dir, "none", "history.json") }));
    assert.deepEqual([nowhere.historyOf(web).state, nowhere.savedAt], ["up", 0]);
    const folder = join(scene.dir, "folder");
    mkdirSync(folder);
    await assert.rejects(new Watch({ ...pace, endpoints: [web], file: folder }).start(), /EISDIR/);
  });
});
