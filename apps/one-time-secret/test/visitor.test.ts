import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { Cipher } from "../src/cipher";
import { WebServer } from "../src/http/server";
import { Secrets } from "../src/secrets";
import { Page } from "./browser";
import { MemoryStore } from "./memoryStore";
import { eventually } from "./redisServer";

describe("a visitor", () => {
  const store = new MemoryStore();
  const secrets = new Secrets(store, new Cipher(["0123456789abcdef0123456789abcdef"]));
  const server = new WebServer(secrets, store);
  let base: string;
  before(async () => (base = `http://127.0.0.1:${await server.listen(0, "127.0.0.1")}`));
  beforeEach(() => (store.down = undefined));
  after(() => server.stop(0, 1000));

  const until = (what: string, check: () => boolean): Promise<void> => eventually(what, () => Promise.resolve(check()));
  const reading = (link: string): Promise<Page> => Page.open("read.html", link);
  async function linkTo(secret: string, passphrase?: string): Promise<string> {
    const { id, key } = await secrets.create(secret, 60_000, passphrase);
    return `${base}/s/${id}#${key}`;
  }
  async function over(page: Page): Promise<string> {
    await until("it is over", () => !page.element("over").hidden);
    assert.deepEqual(page.shown("open", "result", "over"), ["over"]);
    assert.equal(page.element("title").textContent, "This cannot be opened");
    return page.element("why").textContent;
  }

  it("writes a secret, copies its link, and the one who opens that reads it once", async () => {
    const writing = await Page.open("index.html", `${base}/`);
    writing.element("secret").value = "hush\nhush";
    writing.element("create").fire("submit");
    await until("there is a link", () => !writing.element("result").hidden);
    assert.deepEqual(writing.shown("create", "result"), ["result"]);
    assert.deepEqual([writing.focused, writing.element("secret").value], ["done", ""]);
    const link = writing.element("link").value;
    assert.ok(link.startsWith(`${base}/s/`));
    assert.match(writing.element("until").textContent, /^Opens once, until .+ \d\d:\d\d\.$/);
    writing.element("copy").fire("click");
    await until("it is copied", () => writing.copied === link);
    assert.equal(writing.element("status").textContent, "Link copied.");
    writing.element("again").fire("click");
    assert.deepEqual([writing.shown("create", "result"), writing.element("link").value], [["create"], ""]);

    const page = await reading(link);
    await until("it can be opened", () => !page.element("open").hidden);
    assert.deepEqual([page.shown("open", "locked", "result", "over"), page.focused], [["open"], "submit"]);
    page.element("open").fire("submit");
    await until("it is open", () => !page.element("result").hidden);
    assert.deepEqual([page.element("secret").value, page.shown("open", "result")], ["hush\nhush", ["result"]]);
    assert.equal(page.element("title").textContent, "Here is the secret");

    const late = await reading(link);
    assert.match(await over(late), /^This secret has been opened already\. It opens only once\. That was on .+\.$/);
    assert.match(late.element("advice").textContent, /somebody else has read it/);
    assert.deepEqual([late.shown("retry"), late.focused], [[], "title"]);
  });

  it("is told beside the field what is wrong with it", async () => {
    const page = await Page.open("index.html", `${base}/`);
    page.element("create").fire("submit");
    await until("told", () => page.shown("secret-fault").length > 0);
    assert.deepEqual([page.element("secret-fault").textContent, page.focused], ["Write something first.", "secret"]);
    page.element("secret").value = "x".repeat(70_000);
    page.element("create").fire("submit");
    await until("told", () => /no more than 65536/.test(page.element("secret-fault").textContent));
    assert.equal(page.element("secret").getAttribute("aria-invalid"), "true");
    page.element("secret").value = "x";
    page.element("create").fire("submit");
    await until("there is a link", () => !page.element("result").hidden);
    assert.deepEqual([page.shown("secret-fault"), page.element("secret").getAttribute("aria-invalid")], [[], null]);
  });

  it("types the passphrase, and again when it was wrong", async () => {
    const page = await reading(await linkTo("hush", "right"));
    await until("it can be opened", () => !page.element("open").hidden);
    assert.deepEqual([page.shown("locked"), page.focused], [["locked"], "passphrase"]);
    const tried = async (passphrase: string, said: RegExp): Promise<void> => {
      page.element("passphrase").value = passphrase;
      page.element("open").fire("submit");
      await until(`told ${said}`, () => said.test(page.element("passphrase-fault").textContent));
      await until("it can be pressed again", () => page.element("submit").getAttribute("aria-disabled") === null);
    };
    await tried("", /Type in the passphrase/);
    await tried("wrong", /That is not the passphrase\. 4 more tries, then/);
    page.element("passphrase").value = "right";
    page.element("open").fire("submit");
    await until("it is open", () => !page.element("result").hidden);
    assert.deepEqual([page.element("secret").value, page.element("passphrase").value], ["hush", ""]);
  });

  it("learns that a link is cut off, unknown or expired", async () => {
    const link = await linkTo("hush");
    for (const cut of [link.split("#")[0] ?? "", link.slice(0, -1)])
      assert.match(await over(await reading(cut)), /not complete: the part after the # is missing or cut off/);
    const unknown = await reading(`${base}/s/${"A".repeat(22)}#${"A".repeat(43)}`);
    assert.match(await over(unknown), /There is no such secret/);
    store.pass(60_001);
    assert.match(await over(await reading(link)), /This secret has expired/);
  });

  it("waits while the service is away, and reads then", async () => {
    const page = await reading(await linkTo("hush"));
    await until("it can be opened", () => !page.element("open").hidden);
    store.down = "away";
    page.element("open").fire("submit");
    await until("told to wait", () => /still trying/.test(page.element("status").textContent));
    page.element("open").fire("submit");
    store.down = undefined;
    await until("it is open", () => !page.element("result").hidden);
    assert.equal(page.element("secret").value, "hush");
  });

  it("gets the secret although its answer was lost on the way", async () => {
    const page = await reading(await linkTo("hush"));
    await until("it can be opened", () => !page.element("open").hidden);
    store.unconfirmed = 1;
    page.element("open").fire("submit");
    await until("it is open", () => !page.element("result").hidden);
    assert.equal(page.element("secret").value, "hush");
  });
});
