import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { DevTools, Messages } from "../../browser/devtools";

describe("messages of a browser", () => {
  it("come out whole and in order, however the pipe cuts them", () => {
    const message = fc.record({ id: fc.nat(), text: fc.string({ unit: "binary" }) }, { noNullPrototype: true });
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sent, sizes) => {
        const bytes = Buffer.from(sent.map((each) => `${JSON.stringify(each)}\0`).join(""));
        const messages = new Messages();
        const received: unknown[] = [];
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const size = sizes[cut % sizes.length] ?? 1;
          received.push(...messages.take(bytes.subarray(at, at + size)));
          at += size;
        }
        assert.deepEqual(received, sent);
      }),
    );
  });
});

describe("talking to a browser", () => {
  let to: PassThrough;
  let from: PassThrough;
  let devtools: DevTools;

  beforeEach(() => {
    to = new PassThrough();
    from = new PassThrough();
    devtools = new DevTools(to, from);
  });

  const asked = (): unknown => new Messages().take(to.read() as Buffer)[0];
  const say = (message: object): boolean => from.write(`${JSON.stringify(message)}\0`);

  it("gives each question its own answer", async () => {
    const [first, second] = [devtools.send("One", { a: 1 }, "page"), devtools.send("Two")];
    assert.deepEqual(asked(), { id: 1, method: "One", params: { a: 1 }, sessionId: "page" });
    say({ id: 2, result: "two" });
    say({ id: 1, result: "one" });
    assert.deepEqual(await Promise.all([first, second]), ["one", "two"]);
  });

  it("says what was refused", async () => {
    const answer = devtools.send("Page.fly");
    say({ id: 1, error: { message: "'Page.fly' wasn't found" } });
    await assert.rejects(answer, /^Error: Page\.fly: 'Page\.fly' wasn't found$/);
  });

  it("tells each page of its own events only", async () => {
    const heard: string[] = [];
    devtools.hear("mine", ({ method }) => heard.push(method));
    say({ sessionId: "other", method: "A" });
    say({ sessionId: "mine", method: "B" });
    say({ method: "C" });
    const answer = devtools.send("Done");
    say({ id: 1 });
    await answer;
    assert.deepEqual(heard, ["B"]);
  });

  it("fails what waits, and all that comes, once the browser has ended", async () => {
    const waiting = devtools.send("Page.navigate");
    devtools.end(new Error("the browser ended (SIGKILL)"));
    await assert.rejects(waiting, /SIGKILL/);
    await assert.rejects(devtools.send("Page.reload"), /SIGKILL/);
  });
});
