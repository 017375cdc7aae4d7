import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { hostsOf } from "../../../commands/hosts";
import { removeHosts, withHosts, withoutHosts, writeHosts } from "../../../sandbox/hosts";

const OWN = "127.0.0.1 localhost\n";
const dev = { "198.18.1.2": ["web.dev.platform.test", "app.dev.platform.test"] };
const qa = { "198.18.1.3": ["web.qa.platform.test"] };

describe("the names of a sandbox's hosts on this machine", () => {
  it("come after what was there, in order, and go without a trace", () => {
    const text = withHosts(OWN, "mine/dev", dev);
    assert.equal(
      text,
      `${OWN}# begin platform mine/dev\n198.18.1.2 app.dev.platform.test web.dev.platform.test\n# end platform mine/dev\n`,
    );
    assert.equal(withoutHosts(text, "mine/dev"), OWN);
  });

  it("are written once, however often", () => {
    const once = withHosts(OWN, "mine/dev", dev);
    assert.equal(withHosts(once, "mine/dev", dev), once);
    assert.equal(withHosts(once, "mine/dev", {}).includes("198.18"), false);
  });

  it("go with one stack, or with all of a sandbox, and with no other's", () => {
    let text = withHosts(OWN, "mine/dev", dev);
    text = withHosts(text, "mine/qa", qa);
    text = withHosts(text, "mine-too/dev", { "198.18.9.2": ["web.dev.platform.test"] });
    assert.ok(withoutHosts(text, "mine/dev").includes("web.qa"));
    const left = withoutHosts(text, "mine");
    assert.ok(left.includes("198.18.9.2") && !left.includes("198.18.1."));
    assert.equal(withoutHosts(left, "mine-too"), OWN);
  });

  it("are those of the sandbox that came up last", () => {
    const text = withHosts(withHosts(OWN, "first/dev", dev), "last/dev", { "198.18.9.2": ["web.dev.platform.test"] });
    assert.ok(text.indexOf("198.18.9.2") < text.indexOf("198.18.1.2"));
    assert.ok(text.startsWith(OWN));
  });

  it("are kept in a file that is written in place, also where its last line has no end", async () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "hosts-")), "hosts");
    fs.writeFileSync(file, "127.0.0.1 localhost");
    const { ino } = fs.statSync(file);
    await Promise.all([writeHosts("mine/dev", dev, file), writeHosts("mine/qa", qa, file)]);
    const text = fs.readFileSync(file, "utf8");
    assert.ok(text.includes("198.18.1.2") && text.includes("198.18.1.3"));
    await removeHosts("mine", file);
    assert.deepEqual([fs.readFileSync(file, "utf8"), fs.statSync(file).ino], [OWN, ino]);
    fs.rmSync(path.dirname(file), { recursive: true });
  });

  it("are left where there is no such file", async () => {
    assert.equal(await writeHosts("mine/dev", dev, "/nonexistent/hosts"), false);
  });

  it("are those of the outputs, where the edge has an address", () => {
    const hosts = { web: "https://web.dev.platform.test", api: "https://web.dev.platform.test/api" };
    assert.deepEqual(hostsOf({ edge: { address: "198.18.1.2", hosts } }), { "198.18.1.2": ["web.dev.platform.test"] });
    assert.deepEqual(hostsOf({ edge: { hosts } }), {});
    assert.deepEqual(hostsOf({}), {});
  });
});
