import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { type LockItem, TOOLCHAIN_DIRECTORY, lockFaults, readLock } from "../../../toolchain/lock";
import { goItem } from "./scratch";

describe("the lock", () => {
  const lock = readLock();
  const root = path.dirname(TOOLCHAIN_DIRECTORY);

  it("pins each plugin at the version of its SDK in package.json: the engine asks for exactly that", () => {
    const { dependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const plugins = Object.values(lock.items).filter((item) => item.plugin);
    assert.equal(plugins.length, 4);
    for (const { plugin, version } of plugins) assert.equal(dependencies[`@pulumi/${plugin}`], version);
    assert.equal(dependencies["@pulumi/pulumi"], lock.items["pulumi"]?.version);
  });

  it("names only recipes that exist and make what they are asked for", () => {
    for (const [name, item] of Object.entries(lock.items)) {
      if (item.source?.kind !== "go") continue;
      const outputs = item.source.recipes.flatMap((recipe) => {
        const file = path.join(TOOLCHAIN_DIRECTORY, "go", recipe.name, "recipe.json");
        const { builds, files } = JSON.parse(fs.readFileSync(file, "utf8")) as {
          builds: { output: string }[];
          files?: { to: string }[];
        };
        return [...builds.map(({ output }) => output), ...(files ?? []).map(({ to }) => path.basename(to))];
      });
      const missing = item.provides.filter((binary) => !outputs.includes(binary));
      assert.deepEqual(missing, [], `${name}: its recipes do not make ${missing.join(", ")}`);
    }
  });

  it("gives a connected user every part of the engine without Go or Debian", () => {
    for (const [name, item] of Object.entries(lock.items))
      if (["engine", "docker", "kind"].includes(item.purpose)) assert.ok(item.download, `${name} has no download`);
  });

  const faulty: [string, Partial<LockItem>, RegExp][] = [
    ["no origin", { source: undefined }, /needs source, or noSource/],
    ["no word on downloads", { noDownload: undefined }, /needs download, or noDownload/],
    ["no executable", { provides: [] }, /provides: names no executable/],
    [
      "an address without TLS",
      { download: { diskMB: 1, files: [{ url: "http://a/b", checksums: "https://a/c", install: [] }] } },
      /not https/,
    ],
    [
      "a download that nothing checks",
      { download: { diskMB: 1, files: [{ url: "https://a/b", install: [] }] } },
      /needs sha256, or checksums/,
    ],
    [
      "a short sum",
      { download: { diskMB: 1, files: [{ url: "https://a/b", sha256: { "linux-amd64": "abc" }, install: [] }] } },
      /"abc" is not 64/,
    ],
  ];
  for (const [what, change, message] of faulty)
    it(`is refused with ${what}, naming the key`, () => {
      const faults = lockFaults({ items: { tool: goItem("tool", change) } });
      assert.equal(faults.length, 1);
      assert.match(faults[0] ?? "", message);
      assert.match(faults[0] ?? "", /^items\.tool/);
    });
});
