import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { VisitCounter } from "../src/visits/counter";
import { PASSWORD, RedisServer, eventually, redisProgram } from "./redisServer";

const program = redisProgram();
const NEXT = "battery-staple";

describe("a password in a file", { skip: "skip" in program && program.skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), "visit-tracker-password-"));
  const passwordFile = join(directory, "REDIS_PASSWORD");
  const faults: string[] = [];
  let redis: RedisServer;
  let counter: VisitCounter;
  let asking = true;

  before(async () => {
    const administrator = ["--user", "admin", "on", `>${PASSWORD}`, "~*", "&*", "+@all"];
    redis = await RedisServer.start("path" in program ? program.path : "", administrator);
    writeFileSync(passwordFile, `${PASSWORD}\n`);
    counter = new VisitCounter({
      ...{ mode: "standalone", host: "127.0.0.1", port: redis.port, tls: false },
      ...{ username: "app", password: PASSWORD, passwordFile },
    });
    await eventually("Redis answers", async () => (await counter.fault(1000)) === undefined);
  });
  after(async () => {
    asking = false;
    counter.close();
    await redis.remove();
    rmSync(directory, { recursive: true });
  });

  it("is followed without one visit that is lost", async () => {
    let visits = 0;
    const visiting = (async () => {
      while (asking) {
        const answer = await counter.visit();
        if ("fault" in answer) faults.push(answer.fault);
        else visits++;
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
    const [former] = connections();
    const isNewer = (): boolean => {
      const now = connections();
      return now.length > 0 && !now.includes(former ?? "");
    };
    for (let tries = 0; !isNewer(); tries++) {
      assert.ok(tries < 300, "the former connection stays");
      await sleep(100);
    }
    redis.command("ACL", "SETUSER", "app", `<${PASSWORD}`);
    await sleep(500);
    asking = false;
    await visiting;
    assert.deepEqual(faults, []);
    assert.deepEqual(await counter.visits(), { visits });
    assert.ok(visits > 5, `${visits} visits`);
  });
});
