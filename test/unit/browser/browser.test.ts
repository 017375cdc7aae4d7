import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { authority, certificate } from "../../../sandbox/pki";
import { Browser } from "../../browser/browser";
import { verifiedPin } from "../../browser/pin";
import { isSound } from "../../browser/scenario";
import { localTool } from "../localTool";

const FORM = `<main><h1>Form</h1>
  <label>Name <input id="name"></label> <button onclick="document.title = 'sent'">Send</button>
  <p hidden id="late">later</p></main>`;

/** What pages may be, by path; a policy forbids the last one its script. */
const PAGES: Readonly<Record<string, string>> = {
  "/form": FORM,
  "/thrown": `${FORM}<script>setTimeout(() => { throw new Error("on purpose") })</script>`,
  "/said": `${FORM}<script>console.error("on purpose")</script>`,
  "/absent": `${FORM}<img alt="nothing" src="/nothing.png">`,
  "/wide": `${FORM}<p style="width: 900px">wide</p>`,
  "/covered": `${FORM}<div style="position: fixed; inset: 0"></div>`,
  "/forbidden": `${FORM}<script>1</script>`,
};

const pageAt = (url = ""): [number, Record<string, string>, string] => {
  const body = PAGES[url];
  if (body === undefined) return [404, {}, ""];
  const headers: Record<string, string> = { "Content-Type": "text/html" };
  if (url === "/forbidden") headers["Content-Security-Policy"] = "script-src 'none'";
  return [200, headers, `<!doctype html><html lang="en"><title>t</title>${body}`];
};
const answer: http.RequestListener = ({ url }, response) => {
  const [status, headers, body] = pageAt(url);
  response.writeHead(status, headers).end(body);
};
const listening = (server: http.Server | https.Server): Promise<number> =>
  new Promise((done) => server.listen(0, "127.0.0.1", () => done((server.address() as AddressInfo).port)));

describe("a real browser", function () {
  this.timeout(120_000);
  const server = http.createServer(answer);
  let program = "";
  let browser: Browser | undefined;
  let origin = "";

  before(async function () {
    program = localTool("chromium") ?? this.skip();
    browser = await Browser.launch({ program });
    origin = `http://127.0.0.1:${await listening(server)}`;
  });
  after(async () => {
    await browser?.close();
    server.close();
  });

  const open = (page: string) => (browser as Browser).open(origin + page);

  it("is used with pointer and keys, by roles and names", async () => {
    const page = await open("/form");
    await page.fill("textbox", "Name", "Adé 🤫");
    assert.equal(await page.value("textbox", "Name"), "Adé 🤫");
    await page.tabTo("button", "Send");
    await page.press("Enter");
    assert.equal(await page.evaluate("document.title"), "sent");
    await isSound(page);
    await page.close();
  });

  it("takes pictures", async () => {
    const page = await open("/form");
    const picture = await page.screenshot();
    assert.equal(picture.subarray(1, 4).toString(), "PNG");
    assert.deepEqual([picture.readUInt32BE(16), picture.readUInt32BE(20)], [800, 640]);
    assert.ok(picture.equals(await page.screenshot()), "two of the same differ");
    await page.close();
  });

  const wrong: [string, RegExp][] = [
    ["/thrown", /script: Uncaught Error: on purpose/],
    ["/said", /console\.error: on purpose/],
    ["/absent", /network: .*404.*nothing\.png/],
    ["/forbidden", /security: .*Content Security Policy/],
  ];
  for (const [path, fault] of wrong)
    it(`finds what is wrong with ${path}`, async () => {
      const page = await open(path);
      const end = Date.now() + 10_000;
      while (page.faults().length === 0 && Date.now() < end) await sleep(50);
      await assert.rejects(isSound(page), fault);
      await page.close();
    });

  it("finds what is wider than a phone", async () => {
    const page = await open("/wide");
    await assert.rejects(isSound(page), /has to be scrolled sideways/);
    await page.close();
  });

  it("does not click on what is covered, nor tab to what is not there", async () => {
    const page = await open("/covered");
    await assert.rejects(page.click("button", "Send"), /button "Send" cannot be clicked on: <div .* lies on top/);
    await assert.rejects(page.tabTo("button", "Away"), /does not lead to button "Away", but to .*button "Send"/);
    await page.close();
  });

  it("knows no host but those it was told", async () => {
    const { port } = new URL(origin);
    await assert.rejects((browser as Browser).open(`http://localhost:${port}/form`), /ERR_NAME_NOT_RESOLVED/);
  });

  it("trusts the pinned key and no other", async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "browser-tls-"));
    const host = "secret.dev.platform.test";
    const ca = authority(dir, "ca", "the platform's");
    const pair = certificate(dir, "server", ca, { commonName: host, names: [`DNS:${host}`] });
    const secured = https.createServer({ cert: fs.readFileSync(pair.cert), key: fs.readFileSync(pair.key) }, answer);
    const hosts = { [host]: "127.0.0.1" };
    const opened: Browser[] = [];
    try {
      const port = await listening(secured);
      const door = { address: "127.0.0.1", port, authority: fs.readFileSync(ca.cert, "utf8") };
      const pin = await verifiedPin(host, door);
      await assert.rejects(verifiedPin("else.dev.platform.test", door), /ERR_TLS_CERT_ALTNAME_INVALID|altnames/);
      await assert.rejects(verifiedPin(host, { ...door, authority: "" }), /self-signed|unable to/);

      const trusting = await Browser.launch({ program, hosts, pins: [pin] });
      opened.push(trusting);
      const page = await trusting.open(`https://${host}:${port}/form`);
      assert.equal(await page.evaluate("isSecureContext"), true);
      const another = await Browser.launch({
        program,
        hosts,
        pins: [pin.replace(/^./, (one) => (one === "A" ? "B" : "A"))],
      });
      opened.push(another);
      await assert.rejects(another.open(`https://${host}:${port}/form`), /ERR_CERT_AUTHORITY_INVALID/);
    } finally {
      for (const one of opened) await one.close();
      secured.close();
      fs.rmSync(dir, { recursive: true });
    }
  });

  it("leaves no process and no profile behind", async () => {
    const running = (): string[] =>
      fs
        .readdirSync("/proc")
        .filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(path.join(os.tmpdir(), "platform-browser-")));
    const before = new Set(running());
    const another = await Browser.launch({ program });
    const page = await another.open(`${origin}/form`);
    const own = running().filter((pid) => !before.has(pid));
    assert.ok(own.length > 0);
    await another.close();
    assert.deepEqual(
      running().filter((pid) => own.includes(pid)),
      [],
    );
    await assert.rejects(page.text(), /the browser ended/);
  });

  it("that does not start says why", async () => {
    await assert.rejects(Browser.launch({ program: "/nowhere/chromium" }), /the browser ended \(.*ENOENT/);
    await assert.rejects(Browser.launch({ program: "/bin/false" }), /the browser ended \(1\)/);
  });
});

function commandLine(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
