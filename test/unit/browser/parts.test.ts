import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type AccessibleNode, accessibilityFaults } from "../../browser/accessibility";
import { flags } from "../../browser/browser";
import { faultIn, unexpected } from "../../browser/faults";
import { keysOf, strokes } from "../../browser/keys";
import { keyPin } from "../../browser/pin";
import { authority } from "../../../sandbox/pki";

describe("a browser's flags", () => {
  it("know the hosts that are named and no other, and pin what is given", () => {
    const given = flags({
      hosts: { "a.test": "198.18.1.1", "b.test": "198.18.1.2" },
      pins: ["x=", "y="],
      profile: "/p",
      walled: true,
    });
    assert.ok(
      given.includes(
        "--host-resolver-rules=MAP a.test 198.18.1.1, MAP b.test 198.18.1.2, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      ),
    );
    assert.ok(given.includes("--ignore-certificate-errors-spki-list=x=,y="));
    assert.ok(given.includes("--user-data-dir=/p"));
    assert.ok(!given.includes("--no-sandbox"));
  });

  it("give up the browser's own walls where they cannot be had, and trust nobody unasked", () => {
    const given = flags({ profile: "/p", walled: false });
    assert.ok(given.includes("--no-sandbox"));
    assert.deepEqual(
      given.filter((flag) => flag.includes("certificate")),
      [],
    );
  });
});

describe("keys", () => {
  it("are pressed and let go", () => {
    assert.deepEqual(strokes("é"), [
      { key: "é", type: "keyDown", text: "é" },
      { key: "é", type: "keyUp" },
    ]);
    assert.deepEqual(strokes("Tab"), [
      { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9, type: "rawKeyDown" },
      { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9, type: "keyUp" },
    ]);
  });

  it("write a text, its lines and what takes two units", () => assert.deepEqual(keysOf("a\n🤫"), ["a", "Enter", "🤫"]));

  it("that nobody knows are refused", () => assert.throws(() => strokes("Tap"), /key "Tap": neither .* Tab, Enter/));
});

describe("faults of a page", () => {
  const log = (level: string) => ({
    method: "Log.entryAdded",
    params: { entry: { level, source: "security", text: "Refused to run", url: "http://x/" } },
  });
  const said = (type: string) => ({
    method: "Runtime.consoleAPICalled",
    params: {
      type,
      args: [
        { type: "string", value: "no" },
        { type: "object", description: "Error: why" },
      ],
    },
  });

  it("are what a developer would see in red", () => {
    assert.equal(faultIn(log("error")), "security: Refused to run (http://x/)");
    assert.equal(faultIn(said("error")), "console.error: no Error: why");
    const exceptionDetails = { text: "Uncaught", exception: { description: "TypeError: x" } };
    assert.equal(
      faultIn({ method: "Runtime.exceptionThrown", params: { exceptionDetails } }),
      "script: Uncaught TypeError: x",
    );
    assert.equal(faultIn({ method: "Inspector.targetCrashed", params: {} }), "the page crashed");
  });

  it("are nothing else", () => {
    for (const event of [log("info"), said("log"), { method: "Page.loadEventFired", params: {} }])
      assert.equal(faultIn(event), undefined);
  });

  it("may be expected, each once, and then have to come", () => {
    assert.deepEqual(unexpected(["got 410"], [/410/]), []);
    assert.deepEqual(unexpected(["got 410", "got 410"], [/410/]), ["got 410"]);
    assert.deepEqual(unexpected([], [/410/]), ["expected, and not seen: /410/"]);
  });
});

describe("accessibility", () => {
  const node = (role: string, name: string, level?: number): AccessibleNode => ({
    ignored: false,
    role: { value: role },
    name: { value: name },
    properties: level === undefined ? [] : [{ name: "level", value: { value: level } }],
  });
  const page = [node("RootWebArea", "Title"), node("main", ""), node("heading", "Title", 1)];
  const faults = (nodes: AccessibleNode[], language = "en", ids: string[] = []): string[] =>
    accessibilityFaults({ nodes, language, ids });

  it("finds nothing where all is named", () => {
    const fields = [node("textbox", "Secret"), node("button", "Send"), node("heading", "Part", 2), node("generic", "")];
    assert.deepEqual(faults([...page, ...fields], "en-GB", ["a", "b"]), []);
    assert.deepEqual(faults([...page, { ...node("button", ""), ignored: true }]), []);
  });

  it("finds each thing that is missing", () => {
    const without = (role: string): AccessibleNode[] => page.filter((each) => each.role?.value !== role);
    assert.deepEqual(faults(without("RootWebArea")), ["the page has no title"]);
    assert.deepEqual(faults(without("main")), ["0 elements are main: one is wanted"]);
    assert.deepEqual(faults(without("heading")), ["0 headings are of level 1: one is wanted"]);
    assert.deepEqual(faults([...page, node("textbox", " ")]), ["a textbox has no name"]);
    assert.deepEqual(faults(page, ""), ['html lang="": give a language such as "en"']);
    assert.deepEqual(faults(page, "en", ["a", "b", "a", "a"]), ['id="a" is there more than once']);
  });
});

describe("the pin of a key", () => {
  it("is the one that openssl computes from the certificate", () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "pin-"));
    try {
      const { cert } = authority(dir, "ca", "somebody");
      const script =
        'openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary';
      const digest = execFileSync("sh", ["-c", script, "sh", cert]);
      assert.equal(keyPin(fs.readFileSync(cert)), digest.toString("base64"));
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  });
});
