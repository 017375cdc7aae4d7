import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensureImages, imageItems } from "../../../toolchain/images";
import type { BinaryRecipe, DebianFilesRecipe, ImageLock } from "../../../toolchain/images/lock";
import type { Sources } from "../../../toolchain/images/sources";
import { OciStore, type Descriptor } from "../../../toolchain/images/store";
import { dynamicProgram, staticProgram } from "./fakeProgram";

const TOOL: BinaryRecipe = { kind: "binary", item: "tool", files: { "/tool": "tool" } };
const SERVER: DebianFilesRecipe = {
  kind: "debian-files",
  packages: ["server"],
  version: "server",
  files: { "/usr/local/bin/server": "/usr/bin/server" },
  users: { server: 999 },
  directories: { "/data": 999 },
};

function lockWith(recipe: BinaryRecipe | DebianFilesRecipe, tag = "1.2.3"): ImageLock {
  const repository = "images.platform.internal/thing";
  const upstream = { repository: "docker.io/maker/thing", tag };
  return {
    thing: { title: "A thing", repository, tag, upstream, recipe, run: { user: "65532:65532", entrypoint: ["/tool"] } },
  };
}

describe("ensureImages", () => {
  let cache: string;
  let binary: Buffer;
  let builds: number;
  let prepared: string[][];
  let sources: Sources;

  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), "images-"));
    binary = staticProgram("tool one");
    builds = 0;
    prepared = [];
    sources = {
      itemKey: () => "tool-1",
      prepare: (items) => {
        prepared.push([...items]);
        return Promise.resolve();
      },
      binary: (_item, name) => {
        builds++;
        writeFileSync(join(cache, name), binary);
        return Promise.resolve(join(cache, name));
      },
      debian: (packages, destination) => {
        const put = (path: string, content: Buffer | string): void => {
          mkdirSync(dirname(join(destination, path)), { recursive: true });
          writeFileSync(join(destination, path), content, { mode: 0o755 });
        };
        put("usr/share/ca-certificates/mozilla/B.crt", "certificate B\n");
        put("usr/share/ca-certificates/mozilla/A.crt", "certificate A\n");
        put("usr/bin/server", staticProgram("server"));
        return Promise.resolve(Object.fromEntries(packages.map((name) => [name, "5:1.2.3-1~deb12u10"])));
      },
    };
  });
  afterEach(() => rmSync(cache, { recursive: true, force: true }));

  const store = (): OciStore => new OciStore(join(cache, "oci"));
  const options = (lock: ImageLock): Parameters<typeof ensureImages>[1] => ({
    cache,
    lock,
    sources,
    report: () => undefined,
  });
  async function digestOf(lock: ImageLock): Promise<string> {
    return (await ensureImages(["thing"], options(lock))).thing?.digest ?? "";
  }
  function blob<T>(digest: string): T {
    return JSON.parse(readFileSync(store().blobPath(digest), "utf8")) as T;
  }

  it("builds what is missing and then only looks", async () => {
    const lock = lockWith(TOOL);
    const first = await ensureImages(["thing"], options(lock));
    const second = await ensureImages(["thing"], options(lock));
    assert.equal(builds, 1);
    assert.deepEqual(second, first);
    assert.equal(first.thing?.reference, `images.platform.internal/thing:1.2.3@${first.thing?.digest}`);
  });

  it("prepares the items of all that is missing together, each once", async () => {
    const { thing } = lockWith(TOOL);
    const image = (repository: string, recipe = TOOL): ImageLock[string] => ({ ...thing!, repository, recipe });
    const lock = {
      a: image("images.platform.internal/a"),
      b: image("images.platform.internal/b", { ...TOOL, item: "other" }),
      c: image("images.platform.internal/c", { ...TOOL, item: "other" }),
    };
    assert.deepEqual(imageItems(["a", "b", "c"], lock), [TOOL.item, "other"]);
    await ensureImages(["a"], options(lock));
    await ensureImages(["a", "b", "c"], options(lock));
    await ensureImages(["a", "b", "c"], options(lock));
    assert.deepEqual(prepared, [[TOOL.item], ["other"]]);
  });

  it("takes data along, and of links what they point to", async () => {
    const plain = { ...sources };
    sources.debian = async (packages, destination) => {
      const versions = await plain.debian(packages, destination);
      mkdirSync(join(destination, "usr/share/server/web/vendor"), { recursive: true });
      writeFileSync(join(destination, "usr/share/server/web/page.html"), "page");
      symlinkSync("../../page.html", join(destination, "usr/share/server/web/vendor/linked"));
      symlinkSync("/usr/share/server/page.html", join(destination, "usr/share/server/web/whole"));
      writeFileSync(join(destination, "usr/share/server/page.html"), "other page");
      return versions;
    };
    const data = { "/web": "/usr/share/server/web", "/one": "/usr/share/server/page.html" };
    const digest = await digestOf(lockWith({ ...SERVER, data }));
    const layer = blob<{ layers: Descriptor[] }>(digest).layers[0]?.digest ?? "";
    const listed = execFileSync("tar", ["-tvzf", store().blobPath(layer)], { encoding: "utf8" });
    for (const file of ["web/page.html", "web/vendor/linked", "web/whole", "one"])
      assert.match(listed, new RegExp(`^-rw\\S+ .* ${file}$`, "m"));
  });

  const namesIn = (layer: string): string[] =>
    execFileSync("tar", ["-tzf", store().blobPath(layer)], { encoding: "utf8" })
      .trim()
      .split("\n");

  it("leaves out what it is told to, of packages and of their data", async () => {
    const plain = { ...sources };
    let left: readonly string[] | undefined;
    sources.debian = async (packages, destination, ignore) => {
      left = ignore;
      const versions = await plain.debian(packages, destination);
      for (const folder of ["kept", "left/deep"]) {
        mkdirSync(join(destination, "usr/share/server", folder), { recursive: true });
        writeFileSync(join(destination, "usr/share/server", folder, "file"), "");
      }
      return versions;
    };
    const data = { "/share": "/usr/share/server" };
    const digest = await digestOf(
      lockWith({ ...SERVER, data, ignore: ["libheavy"], without: ["/usr/share/server/left"] }),
    );
    const [layer] = blob<{ layers: Descriptor[] }>(digest).layers;
    assert.deepEqual(left, ["libheavy"]);
    const found = namesIn(layer?.digest ?? "");
    assert.ok(found.includes("share/kept/file"));
    assert.deepEqual(
      found.filter((name) => name.includes("left")),
      [],
    );
  });

  it("takes the libraries along that programs load while they run", async () => {
    const plain = { ...sources };
    sources.debian = async (packages, destination) => {
      const versions = await plain.debian(packages, destination);
      for (const folder of ["lib64", "usr/lib/server", "usr/lib/x86_64-linux-gnu"])
        mkdirSync(join(destination, folder), { recursive: true });
      const library = join(destination, "usr/lib/x86_64-linux-gnu/libextra.so.1");
      const loader = `#!/bin/sh\ncase "$*" in *extra.so) printf '\\tlibextra.so.1 => ${library} (0x1)\\n' ;; esac\n`;
      writeFileSync(join(destination, "lib64/ld.so"), loader, { mode: 0o755 });
      for (const file of [library, library.replace("extra", "late")]) writeFileSync(file, "");
      writeFileSync(join(destination, "usr/bin/server"), dynamicProgram("/lib64/ld.so"));
      writeFileSync(join(destination, "usr/lib/server/extra.so"), staticProgram("extra"));
      return versions;
    };
    const recipe = { ...SERVER, data: { "/usr/lib/server": "/usr/lib/server" } };
    const digest = await digestOf(lockWith({ ...recipe, libraries: ["liblate.so.1"] }));
    const [layer] = blob<{ layers: Descriptor[] }>(digest).layers;
    const found = namesIn(layer?.digest ?? "");
    const loaded = ["libextra.so.1", "liblate.so.1"].map((name) => `usr/lib/x86_64-linux-gnu/${name}`);
    for (const file of ["usr/lib/server/extra.so", ...loaded, "lib64/ld.so"]) assert.ok(found.includes(file), file);
    await assert.rejects(digestOf(lockWith({ ...recipe, libraries: ["libno.so"] })), /no package here has libno\.so/);
  });

  it("lies on another image where it has a base, and is another one where that changes", async () => {
    const { thing } = lockWith(SERVER);
    const under = (users: Record<string, number>): ImageLock => ({
      thing: { ...thing!, recipe: { ...SERVER, base: "base" } },
      base: { ...thing!, repository: "images.platform.internal/base", recipe: { ...SERVER, users } },
    });
    const digest = await digestOf(under({ server: 999 }));
    const { layers } = blob<{ layers: Descriptor[] }>(digest);
    assert.equal(layers.length, 2);
    const [below = [], above = []] = layers.map(({ digest: layer }) => namesIn(layer));
    assert.deepEqual([below.includes("etc/passwd"), above.includes("etc/passwd")], [true, false]);
    assert.notEqual(await digestOf(under({ server: 998 })), digest);
  });

  it("writes a manifest and config a container runtime understands", async () => {
    const digest = await digestOf(lockWith(TOOL));
    const manifest = blob<{ mediaType: string; config: Descriptor; layers: Descriptor[] }>(digest);
    assert.equal(manifest.mediaType, "application/vnd.oci.image.manifest.v1+json");
    assert.deepEqual(Object.keys(manifest.layers[0] ?? {}), ["mediaType", "digest", "size"]);
    const config = blob<{ os: string; config: Record<string, unknown>; rootfs: { diff_ids: string[] } }>(
      manifest.config.digest,
    );
    assert.equal(config.os, "linux");
    assert.equal(config.config.User, "65532:65532");
    assert.deepEqual(config.config.Entrypoint, ["/tool"]);
    assert.equal(config.rootfs.diff_ids.length, 1);
  });

  it("gives the same digest in another cache", async () => {
    const here = await digestOf(lockWith(TOOL));
    rmSync(join(cache, "oci"), { recursive: true });
    assert.equal(await digestOf(lockWith(TOOL)), here);
    assert.equal(builds, 2);
  });

  it("gives another digest for another binary, once its item has another key", async () => {
    const before = await digestOf(lockWith(TOOL));
    binary = staticProgram("tool two");
    assert.equal(await digestOf(lockWith(TOOL)), before);
    sources.itemKey = () => "tool-2";
    assert.notEqual(await digestOf(lockWith(TOOL)), before);
  });

  it("builds again when the recipe changes or a blob is not whole", async () => {
    const lock = lockWith(TOOL);
    await digestOf(lock);
    await digestOf({ thing: { ...lock.thing!, run: { user: "1:1" } } });
    assert.equal(builds, 2);
    const digest = await digestOf(lock);
    const layer = blob<{ layers: Descriptor[] }>(digest).layers[0]?.digest ?? "";
    truncateSync(store().blobPath(layer), 10);
    assert.equal(await digestOf(lock), digest);
    assert.equal(builds, 4);
  });

  it("builds once when two runs want the same image", async () => {
    const lock = lockWith(TOOL);
    const [one, other] = await Promise.all([digestOf(lock), digestOf(lock)]);
    assert.equal(one, other);
    assert.equal(builds, 1);
  });

  it("keeps what was replaced for a while, then lets it go", async () => {
    const lock = lockWith(TOOL);
    const old = await digestOf(lock);
    const current = await digestOf({ thing: { ...lock.thing!, run: { user: "1:1" } } });
    assert.ok(await store().isWhole(old));
    await store().prune(-1);
    assert.equal(await store().isWhole(old), false);
    assert.ok(await store().isWhole(current));
  });

  it("leaves nothing half done behind", async () => {
    await digestOf(lockWith(TOOL));
    sources.itemKey = () => "tool-2";
    sources.binary = () => Promise.reject(new Error("no compiler"));
    await assert.rejects(digestOf(lockWith(TOOL)), /image thing: no compiler\nIts log is .*image-thing\.log/);
    const left = readdirSync(cache, { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      left.filter((file) => file.includes("unfinished") || /build\/images\/./.test(file)),
      [],
    );
  });

  it("refuses a program that would miss its libraries", async () => {
    binary = dynamicProgram("/lib64/ld-linux-x86-64.so.2");
    await assert.rejects(digestOf(lockWith(TOOL)), /is not static.*build tool with CGO_ENABLED=0/);
  });

  it("takes single files out of packages, with the account they run as", async () => {
    await digestOf(lockWith(SERVER));
    const stored = await store().readRef("images.platform.internal/thing", "1.2.3");
    assert.deepEqual(stored?.inputs, { server: "5:1.2.3-1~deb12u10" });
    assert.match(await store().readFile(stored?.layers ?? [], "etc/passwd"), /^server:x:999:999:/m);
  });

  it("refuses a package of another version than the tag promises", async () => {
    await assert.rejects(
      digestOf(lockWith(SERVER, "1.2.4")),
      /promises version 1\.2\.4 of server, this machine's Debian has 5:1\.2\.3-1~deb12u10: set the tag to "1\.2\.3"/,
    );
  });

  it("names the images it knows when asked for another", async () => {
    await assert.rejects(ensureImages(["thong"], options(lockWith(TOOL))), /no image "thong" .* it names thing/);
  });
});
