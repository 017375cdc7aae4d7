import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cipher } from "../src/cipher";
import { Limit } from "../src/limit";
import { Secrets, Unanswered } from "../src/secrets";
import { AGAIN_MS, REMEMBERED_MS, Unavailable } from "../src/store";
import { MemoryStore } from "./memoryStore";
import { keepsItsPromises } from "./storeContract";

const OWN = "0123456789abcdef0123456789abcdef";
const OTHER = "another-key-another-key-another-key";
const DAY = 24 * 3_600_000;

function service(keys = [OWN], store = new MemoryStore()): { secrets: Secrets; store: MemoryStore } {
  return { secrets: new Secrets(store, new Cipher(keys)), store };
}

describe("the store in memory", () => {
  const store = new MemoryStore();
  keepsItsPromises(
    () => store,
    (ms) => store.pass(ms),
  );
});

describe("a secret", () => {
  it("is read once, whatever it consists of", async () => {
    const { secrets } = service();
    for (const secret of ["x", "ünï\n\0€ 🗝️ \r\n", "z".repeat(65_536)]) {
      const link = await secrets.create(secret, DAY);
      assert.deepEqual(await secrets.reveal(link), { state: "revealed", secret });
      assert.equal((await secrets.reveal(link)).state, "used");
    }
  });

  it("is read by one of a hundred", async () => {
    const { secrets } = service();
    const link = await secrets.create("hush", DAY);
    const all = await Promise.all(Array.from({ length: 100 }, () => secrets.reveal(link)));
    assert.equal(all.filter(({ state }) => state === "revealed").length, 1);
    assert.equal(all.filter(({ state }) => state === "used").length, 99);
  });

  it("is not given without its key, nor used up by trying", async () => {
    const { secrets } = service();
    const link = await secrets.create("hush", DAY);
    const stranger = await secrets.create("other", DAY);
    assert.deepEqual(await secrets.reveal({ id: link.id, key: stranger.key }), { state: "unknown" });
    assert.deepEqual(await secrets.reveal({ id: "short", key: link.key }), { state: "unknown" });
    assert.deepEqual(await secrets.look("short"), { state: "unknown" });
    assert.equal((await secrets.reveal(link)).state, "revealed");
  });

  it("leaves nothing in the store from which it could be read, nor the link", async () => {
    const { secrets, store } = service();
    const link = await secrets.create("correct horse", DAY, "battery staple");
    const held = JSON.stringify([...store.entries]);
    for (const part of ["correct horse", "battery staple", link.id, link.key, OWN])
      assert.ok(!held.includes(part), part);
    await secrets.reveal({ ...link, passphrase: "battery staple" });
    await new Promise(setImmediate);
    assert.ok(store.entries.get([...store.entries.keys()][0] ?? "")?.until === 0, "gone after it was read");
  });

  it("expires, says so for a while, and is then unknown", async () => {
    const { secrets, store } = service();
    const link = await secrets.create("hush", 1000);
    store.pass(1001);
    assert.deepEqual(await secrets.reveal(link), { state: "expired", at: link.expires });
    store.pass(REMEMBERED_MS);
    assert.deepEqual(await secrets.reveal(link), { state: "unknown" });
  });

  describe("with a passphrase", () => {
    const passphrase = "Grüße";

    it("takes it, however the keyboard composes it", async () => {
      const { secrets } = service();
      const link = await secrets.create("hush", DAY, passphrase.normalize("NFD"));
      assert.deepEqual(await secrets.reveal(link), { state: "locked" });
      assert.equal((await secrets.reveal({ ...link, passphrase: passphrase.normalize("NFC") })).state, "revealed");
    });

    it("counts wrong ones and is destroyed by the fifth; the same again is not counted again", async () => {
      const { secrets } = service();
      const link = await secrets.create("hush", DAY, passphrase);
      for (const [wrong, guessesLeft] of [
        ["a", 4],
        ["a", 4],
        ["b", 3],
        ["c", 2],
        ["d", 1],
      ] as const) {
        assert.deepEqual(await secrets.reveal({ ...link, passphrase: wrong }), { state: "wrong", guessesLeft });
      }
      assert.equal((await secrets.reveal({ ...link, passphrase: "e" })).state, "destroyed");
      assert.equal((await secrets.reveal({ ...link, passphrase })).state, "destroyed");
    });

    it("opens at the last allowed guess", async () => {
      const { secrets } = service();
      const link = await secrets.create("hush", DAY, passphrase);
      for (const wrong of ["a", "b", "c", "d"]) await secrets.reveal({ ...link, passphrase: wrong });
      assert.equal((await secrets.reveal({ ...link, passphrase })).state, "revealed");
    });

    it("ignores one where none is needed", async () => {
      const { secrets } = service();
      const link = await secrets.create("hush", DAY);
      assert.equal((await secrets.reveal({ ...link, passphrase })).state, "revealed");
    });
  });

  describe("whose answer got lost", () => {
    it("is given again to the same reader for a while, to nobody else", async () => {
      const { secrets, store } = service();
      const link = await secrets.create("hush", DAY);
      const mine = { ...link, reader: "0123456789abcdef" };
      assert.equal((await secrets.reveal(mine)).state, "revealed");
      assert.equal((await secrets.reveal({ ...link, reader: "fedcba9876543210" })).state, "used");
      assert.deepEqual(await secrets.reveal(mine), { state: "revealed", secret: "hush" });
      store.pass(AGAIN_MS);
      assert.equal((await secrets.reveal(mine)).state, "used");
    });

    it("can be asked for again by the name in the error, where the reader gave none", async () => {
      const { secrets, store } = service();
      const link = await secrets.create("hush", DAY);
      store.unconfirmed = 1;
      const error: unknown = await secrets.reveal(link).catch((cause: unknown) => cause);
      assert.ok(error instanceof Unanswered);
      assert.equal((await secrets.reveal(link)).state, "used");
      assert.equal((await secrets.reveal({ ...link, reader: error.reader })).state, "revealed");
    });

    it("with a passphrase costs no further guess", async () => {
      const { secrets, store } = service();
      const link = await secrets.create("hush", DAY, "right");
      for (const wrong of ["a", "b", "c", "d"]) await secrets.reveal({ ...link, passphrase: wrong });
      const mine = { ...link, passphrase: "right", reader: "0123456789abcdef" };
      store.unconfirmed = 3;
      for (let i = 0; i < 3; i++) await assert.rejects(secrets.reveal(mine), Unanswered);
      assert.equal((await secrets.reveal(mine)).state, "revealed");
    });
  });

  it("is not acknowledged unless it is safe", async () => {
    const { secrets, store } = service();
    store.unconfirmed = 1;
    await assert.rejects(secrets.create("hush", DAY), Unavailable);
  });

  it("outlives a change of the application's key", async () => {
    const { secrets, store } = service([OTHER]);
    const [before, late] = [await secrets.create("hush", DAY), await secrets.create("late", DAY)];
    const changed = service([OWN, OTHER], store).secrets;
    assert.equal((await changed.reveal(before)).state, "revealed");
    await assert.rejects(service([OWN], store).secrets.reveal(late), Unavailable);
    assert.equal((await changed.reveal(late)).state, "revealed", "not used up where the key was missing");
  });

  it("is not given out where it was tampered with, and not used up", async () => {
    const { secrets, store } = service();
    const link = await secrets.create("hush", DAY);
    const other = await secrets.create("other", DAY);
    const [mine, theirs] = [...store.entries.values()];
    assert.ok(mine && theirs);
    const { sealed } = mine;
    mine.sealed = theirs.sealed;
    await assert.rejects(secrets.reveal(link));
    mine.sealed = `${sealed.slice(0, -2)}AA`;
    await assert.rejects(secrets.reveal(link));
    mine.sealed = sealed;
    assert.equal((await secrets.reveal(link)).state, "revealed");
    assert.equal((await secrets.reveal(other)).state, "revealed");
  });
});

describe("a limit", () => {
  it("runs so much at once, keeps some waiting and turns away the rest", async () => {
    const limit = new Limit(2, 2);
    let [running, most] = [0, 0];
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    };
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => limit.run(work)));
    assert.equal(most, 2);
    assert.deepEqual(
      all.map(({ status }) => status),
      ["fulfilled", "fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"],
    );
    assert.ok((all[4] as PromiseRejectedResult).reason instanceof Unavailable);
  });

  it("goes on after work that failed", async () => {
    const limit = new Limit(1, 1);
    const failing = limit.run(() => Promise.reject(new Error("no")));
    const next = limit.run(() => Promise.resolve("yes"));
    await assert.rejects(failing, /no/);
    assert.equal(await next, "yes");
    assert.equal(await limit.run(() => Promise.resolve("again")), "again");
  });
});
