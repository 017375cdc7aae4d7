import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from "../../../toolchain";
import type { LockItem } from "../../../toolchain/lock";
import { releaseObstacle } from "../../../toolchain/osRelease";
import { Scratch, goItem } from "./scratch";

/** apt-get that knows two packages and fetches them out of a directory; what it is told goes to a file. */
const FAKE_APT = `
echo "$*" >> "$APT/calls"
for word; do case "$word" in
Dir::Cache::archives=*) archives=\${word#*=} ;;
Dir::State::status=*) cat "\${word#*=}" > "$APT/status" ;;
esac; done
case "$*" in
*--print-uris*) for deb in tool_1%3a1.4-2_all.deb libtool_2.0_all.deb; do echo "'http://x/$deb' $deb 10 SHA256:0"; done ;;
*--download-only*) cp "$APT"/*.deb "$archives" ;;
esac`;

describe("Debian packages", () => {
  let scratch: Scratch;
  let apt: string;

  beforeEach(() => {
    scratch = new Scratch();
    apt = path.join(scratch.root, "apt");
    fs.mkdirSync(apt);
    scratch.tool("apt-get", `APT=${apt}\n${FAKE_APT}`);
    scratch.tool("dpkg-deb", 'cat "$2"');
    deb("tool_1%3a1.4-2_all.deb", {
      "usr/bin/tool": '#!/bin/sh\necho "tool $LD_LIBRARY_PATH"\n',
      "sbin/tool-nft": "#!/bin/sh\n",
      "usr/share/doc/tool/readme": "read me",
    });
    deb("libtool_2.0_all.deb", {
      "lib/x86_64-linux-gnu/libtool.so.2": "library",
      "usr/bin/libtool-config": "#!/bin/sh\n",
    });
  });

  afterEach(() => scratch.remove());

  function deb(name: string, files: Record<string, string>): void {
    const tree = path.join(scratch.root, "tree", name);
    for (const [file, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
      fs.writeFileSync(path.join(tree, file), text, { mode: 0o755 });
    }
    execFileSync("tar", ["-cf", path.join(apt, name), "-C", tree, "."]);
  }

  const item = (more: object = {}): LockItem =>
    goItem("tool", {
      source: { kind: "debian", packages: ["tool"], links: { toolctl: "usr/sbin/tool-nft" }, diskGB: 0.01, ...more },
    });
  const get = (more: object = {}): ReturnType<typeof ensure> => ensure(["tool"], scratch.options({ tool: item(more) }));

  it("are unpacked with what they need, and run with their own libraries", async () => {
    const toolchain = await get();
    const libraries = path.join(toolchain.dir("tool"), "root/usr/lib/x86_64-linux-gnu");
    assert.equal(execFileSync(path.join(toolchain.path, "tool"), { encoding: "utf8" }), `tool ${libraries}\n`);
    assert.equal(fs.readFileSync(path.join(libraries, "libtool.so.2"), "utf8"), "library");
  });

  it("land in /usr whatever they say, without their documentation", async () => {
    const root = path.join((await get()).dir("tool"), "root");
    assert.equal(fs.readlinkSync(path.join(root, "sbin")), "usr/sbin");
    assert.equal(fs.existsSync(path.join(root, "usr/sbin/tool-nft")), true);
    assert.equal(fs.existsSync(path.join(root, "usr/share/doc")), false);
  });

  it("offer the executables of the named packages and the links asked for, nothing of a dependency", async () => {
    const { path: bin } = await get();
    assert.deepEqual(fs.readdirSync(bin).sort(), ["tool", "tool-nft", "toolctl"]);
  });

  it("are recorded with their exact versions", async () => {
    const record = JSON.parse(fs.readFileSync(path.join((await get()).dir("tool"), "item.json"), "utf8")) as object;
    assert.deepEqual(record, {
      item: "tool",
      version: "1.0.0",
      origin: "source",
      packages: ["tool 1:1.4-2", "libtool 2.0"],
    });
  });

  it("leave the host's state alone and its C library out", async () => {
    await get({ ignore: ["perl-modules"] });
    const calls = fs.readFileSync(path.join(apt, "calls"), "utf8").trim().split("\n");
    for (const call of calls) assert.ok(call.includes(`Dir::State=${scratch.cache}`), call);
    const status = fs.readFileSync(path.join(apt, "status"), "utf8");
    for (const name of ["libc6", "perl-modules", "adduser"])
      assert.match(status, new RegExp(`^Package: ${name}$`, "m"));
  });

  it("run with libraries that lie apart from the others too", async () => {
    const toolchain = await get({ libraries: ["private"] });
    const libraries = path.join(toolchain.dir("tool"), "root/usr/lib/x86_64-linux-gnu");
    const said = execFileSync(path.join(toolchain.path, "tool"), { encoding: "utf8" });
    assert.equal(said, `tool ${libraries}:${libraries}/private\n`);
  });

  it("draw with their own fonts alone", async () => {
    deb("libtool_2.0_all.deb", {
      "usr/bin/tool": '#!/bin/sh\necho "$FONTCONFIG_FILE"\n',
      "usr/share/fonts/one.ttf": "font",
    });
    const toolchain = await get();
    const file = execFileSync(path.join(toolchain.path, "tool"), { encoding: "utf8" }).trim();
    const fonts = path.join(toolchain.dir("tool"), "root/usr/share/fonts");
    assert.deepEqual(
      [...fs.readFileSync(file, "utf8").matchAll(/<dir>(.*)<\/dir>/g)].map(([, directory]) => directory),
      [fonts],
    );
    assert.ok(fs.existsSync(path.join(fonts, "one.ttf")));
  });

  it("that lack what a link promises are refused", async () => {
    await assert.rejects(
      get({ links: { toolctl: "usr/bin/gone" } }),
      /links\.toolctl: the packages tool hold no usr\/bin\/gone/,
    );
  });

  it("cannot be had where the distribution has none of them", async () => {
    await assert.rejects(
      get({ release: 999 }),
      /Debian has tool from 999 on, and this is .*: install tool with the machine's own package manager/,
    );
  });

  it("cannot be had without apt: the refusal says what to install instead", async () => {
    const env = { ...scratch.env(), PATH: path.join(scratch.root, "empty") };
    await assert.rejects(
      ensure(["tool"], scratch.options({ tool: item() }, { env })),
      /Debian packages tool and this machine has no apt-get, dpkg-deb, tar: install tool with/,
    );
  });
});

describe("a distribution", () => {
  const obstacle = (release: number | undefined, running: string): string | undefined =>
    releaseObstacle({ kind: "debian", packages: ["tool"], diskGB: 1, ...(release && { release }) }, running);
  const debian = (version: string): string => `PRETTY_NAME="Debian ${version}"\nID=debian\nVERSION_ID="${version}"\n`;

  it("has what Debian has from its release on", () => {
    assert.equal(obstacle(12, debian("12")), undefined);
    assert.equal(obstacle(12, debian("13")), undefined);
    assert.equal(obstacle(12, 'PRETTY_NAME="Debian trixie/sid"\nID=debian\n'), undefined);
    assert.equal(obstacle(12, debian("11")), "Debian has tool from 12 on, and this is Debian 11");
  });

  it("that is another has only what all of them have", () => {
    const ubuntu = 'PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n';
    assert.equal(obstacle(undefined, ubuntu), undefined);
    assert.equal(obstacle(12, ubuntu), "Debian has tool from 12 on, and this is Ubuntu 24.04");
    assert.equal(obstacle(12, ""), "Debian has tool from 12 on, and this is another system");
  });
});
