import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { RedisStore } from "../src/redis/store";
import { PASSWORD, RedisServer, eventually, redisProgram } from "./redisServer";

const { path, skip } = redisProgram();
const NEXT = "battery-staple";

describe("a password in a file", { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), "one-time-secret-password-"));
  const passwordFile = join(directory, "REDIS_PASSWORD");
  let redis: RedisServer;
  let store: RedisStore;
  let asking = true;

  before(async () => {
    redis = await RedisServer.start(path);
    writeFileSync(passwordFile, `${PASSWORD}\n`);
    store = new RedisStore({
      ...{ mode: "standalone", host: "127.0.0.1", port: redis.port, tls: false },
      ...{ username: "app", password: PASSWORD, passwordFile },
    });
    await eventually("Redis answers", async () => (await store.fault(1000)) === undefined);
  });
  after(async () => {
    asking = false;
    store.close();
    await redis.remove();
    rmSync(directory, { recursive: true });
  });

  it("is followed by every connection, without one secret that is lost", async () => {
    let stored = 0;
    const storing = (async () => {
      for (; asking; stored++) {
        const name = `secret-${stored}`;
        await store.create(name, {
          proof: "p",
          sealed: "s",
          ttlMs: 60_000,
          locked: false,
          expires: Date.now() + 60_000,
        });
        assert.equal((await store.look(name)).state, "waiting");
        await sleep(5);
      }
    })();
    // It comes to the client before the server knows of it: the former one is still good.
    writeFileSync(passwordFile, NEXT);
    await sleep(4000);
    redis.command("ACL", "SETUSER", "app", `>${NEXT}`);
    const connections = (): string[] =>
      redis
        .command("CLIENT", "LIST")
        .split("\n")
        .filter((line) => line.includes("user=app"))
        .map((line) => line.replace(/ .*/, ""));
    const former = connections();
    const areNewer = (): boolean => {
      const now = connections();
      return now.length === 2 && !now.some((each) => former.includes(each));
    };
    for (let tries = 0; !areNewer(); tries++) {
      assert.ok(tries < 300, "a former connection stays");
      await sleep(100);
    }
    redis.command("ACL", "SETUSER", "app", `<${PASSWORD}`);
    await sleep(500);
    asking = false;
    await storing;
    assert.ok(stored > 5, `${stored} secrets`);
  });
});
