import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { it } from "node:test";
import { MAX_GUESSES, type NewEntry, type Store } from "../src/store";

const unique = (): string => randomBytes(16).toString("base64url");

/** What every store must do, the one of the tests as well as Redis in each mode. `pass` lets time go by. */
export function keepsItsPromises(given: () => Store, pass: (ms: number) => Promise<void> | void): void {
  const proof = "proof";
  const [ada, bob] = ["reader-ada", "reader-bob"];

  async function stored(more: Partial<NewEntry> = {}): Promise<string> {
    const name = unique();
    const ttlMs = more.ttlMs ?? 60_000;
    const entry = { sealed: "sealed", proof, locked: false, ttlMs, expires: Date.now() + ttlMs, ...more };
    await given().create(name, entry);
    return name;
  }
  const open = (
    name: string,
    by: { proof?: string; reader?: string; guess?: string } = {},
  ): ReturnType<Store["open"]> => given().open(name, { proof, reader: ada, guess: "", at: 7, ...by });

  it("says how things stand without changing them", async () => {
    const expires = Date.now() + 60_000;
    const name = await stored({ locked: true, expires });
    for (let i = 0; i < 3; i++) assert.deepEqual(await given().look(name), { state: "waiting", locked: true, expires });
    assert.deepEqual(await given().look(unique()), { state: "unknown" });
  });

  it("gives what it holds to those who have the key, as often as they ask before one claims it", async () => {
    const name = await stored();
    for (const reader of [ada, bob, ada]) {
      const opened = await open(name, { reader });
      assert.deepEqual(opened, { state: "sealed", sealed: "sealed", guessesLeft: MAX_GUESSES });
    }
    assert.deepEqual(await open(name, { proof: "another" }), { state: "unknown" });
    assert.deepEqual(await open(unique()), { state: "unknown" });
  });

  it("lets one of a hundred claim it", async () => {
    const name = await stored();
    const claims = await Promise.all(
      Array.from({ length: 100 }, (_, index) => given().claim(name, { reader: `reader-${index}`, at: index })),
    );
    const winners = claims.flatMap(({ state }, index) => (state === "claimed" ? [index] : []));
    assert.equal(winners.length, 1);
    const end = { state: "used", at: winners[0] };
    for (const claim of claims.filter(({ state }) => state !== "claimed")) assert.deepEqual(claim, end);
    assert.deepEqual(await given().look(name), end);
  });

  it("gives the one who claimed it the same again, and nobody else", async () => {
    const name = await stored();
    assert.deepEqual(await given().claim(name, { reader: ada, at: 5 }), { state: "claimed" });
    assert.equal((await open(name, { reader: ada })).state, "sealed");
    assert.deepEqual(await given().claim(name, { reader: ada, at: 6 }), { state: "claimed" });
    assert.deepEqual(await open(name, { reader: bob }), { state: "used", at: 5 });
    assert.deepEqual(await given().claim(name, { reader: bob, at: 7 }), { state: "used", at: 5 });
  });

  it("forgets what was claimed when the one who did says so, and only then", async () => {
    const name = await stored();
    await given().forget(name, ada);
    assert.equal((await open(name)).state, "sealed");
    await given().claim(name, { reader: ada, at: 5 });
    await given().forget(name, bob);
    assert.equal((await open(name)).state, "sealed");
    await given().forget(name, ada);
    assert.deepEqual(await open(name), { state: "used", at: 5 });
    assert.deepEqual(await given().claim(name, { reader: ada, at: 6 }), { state: "used", at: 5 });
  });

  it("does not bring back by a late repetition what was read", async () => {
    const name = await stored();
    await given().claim(name, { reader: ada, at: 5 });
    await given().forget(name, ada);
    await given().create(name, { sealed: "sealed", proof, locked: false, ttlMs: 60_000, expires: Date.now() + 60_000 });
    assert.deepEqual(await open(name, { reader: bob }), { state: "used", at: 5 });
  });

  it("takes a guess for a locked one, and counts each only once", async () => {
    const name = await stored({ locked: true });
    assert.deepEqual(await open(name), { state: "locked" });
    for (const guess of ["a", "a", "a"]) {
      const opened = await open(name, { guess });
      assert.deepEqual(opened, { state: "sealed", sealed: "sealed", guessesLeft: MAX_GUESSES - 1 });
    }
    assert.deepEqual(await open(name, { guess: "b", proof: "another" }), { state: "unknown" });
    assert.equal(((await open(name, { guess: "b" })) as { guessesLeft: number }).guessesLeft, MAX_GUESSES - 2);
  });

  it("gives no more guesses than allowed, also to a hundred at once, and is destroyed then", async () => {
    const name = await stored({ locked: true });
    const all = await Promise.all(Array.from({ length: 100 }, (_, index) => open(name, { guess: `guess-${index}` })));
    assert.equal(all.filter(({ state }) => state === "sealed").length, MAX_GUESSES);
    assert.equal(all.filter(({ state }) => state === "destroyed").length, 100 - MAX_GUESSES);
    assert.deepEqual(await given().look(name), { state: "destroyed", at: 7 });
    assert.deepEqual(await given().claim(name, { reader: ada, at: 8 }), { state: "destroyed", at: 7 });
  });

  it("is destroyed on demand, unless it was read before", async () => {
    const [name, read] = [await stored(), await stored()];
    await given().destroy(name, 9);
    await given().destroy(name, 10);
    assert.deepEqual(await open(name), { state: "destroyed", at: 9 });
    await given().claim(read, { reader: ada, at: 5 });
    await given().destroy(read, 9);
    assert.deepEqual(await given().look(read), { state: "used", at: 5 });
    await given().destroy(unique(), 9);
  });

  it("keeps nothing beyond its time, but remembers that it was there", async () => {
    const expires = Date.now() + 1000;
    const name = await stored({ ttlMs: 1000, expires });
    assert.equal((await given().look(name)).state, "waiting");
    await pass(1100);
    const end = { state: "expired", at: expires };
    assert.deepEqual(await given().look(name), end);
    assert.deepEqual(await open(name), end);
    assert.deepEqual(await given().claim(name, { reader: ada, at: 5 }), end);
  });
}
