import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { load } from "../src/load";
import { Store, Unavailable } from "../src/store";
import { FakeStore } from "./fakeStore";

const CONTENT = Buffer.from("GIF89a and so on");

describe("what loads the bucket", () => {
  let fake: FakeStore;
  let store: Store;
  before(async () => {
    fake = await FakeStore.start();
    store = new Store(fake.settings);
  });
  beforeEach(() => {
    fake.objects.clear();
    fake.asked.length = 0;
    fake.trouble = undefined;
  });
  after(async () => {
    store.close();
    await fake.stop();
  });
  const puts = (): number => fake.asked.filter(({ method }) => method === "PUT").length;

  it("[004.8] puts the picture there once, however often it runs", async () => {
    assert.equal(await load(store, CONTENT), true);
    assert.deepEqual(fake.objects.get("picture.gif"), { content: CONTENT, type: "image/gif" });
    assert.equal(await load(store, CONTENT), false);
    assert.deepEqual([puts(), fake.objects.size], [1, 1]);
  });

  it("puts it there again where another is there, or it is said to be something else", async () => {
    fake.put("picture.gif", Buffer.from("GIF89a and so no"), "image/gif");
    assert.equal(await load(store, CONTENT), true);
    fake.put("picture.gif", CONTENT, "text/plain");
    assert.equal(await load(store, CONTENT), true);
    assert.equal(fake.objects.get("picture.gif")?.type, "image/gif");
  });

  it("says what the store says where that does not let it", async () => {
    fake.trouble = (_, response) => void response.writeHead(403).end("<Error><Code>AccessDenied</Code></Error>");
    await assert.rejects(load(store, CONTENT), /does not say whether it is there: 403 AccessDenied/);
    fake.trouble = ({ method }, response) =>
      method === "PUT"
        ? void response.writeHead(507).end("<Error><Code>XMinioStorageFull</Code></Error>")
        : void response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
    await assert.rejects(load(store, CONTENT), /does not take it: 507 XMinioStorageFull/);
  });

  it("does not believe what it did not read", async () => {
    fake.trouble = ({ method }, response) =>
      method === "PUT"
        ? void response.writeHead(200).end()
        : void response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
    await assert.rejects(
      load(store, CONTENT),
      (error) => error instanceof Unavailable && /something else/.test(error.message),
    );
  });
});
