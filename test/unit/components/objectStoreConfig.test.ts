import assert from "node:assert/strict";
import { Reader } from "../../../components/lib/configReader";
import { Faults } from "../../../components/lib/faults";
import { parseAppBucket, parseObjectStore } from "../../../components/lib/objectStoreConfig";

type Raw = Record<string, unknown>;

/** What is read, or the lines about what is wrong with it. */
function reading<T>(read: (reader: Reader, faults: Faults) => T): T | string[] {
  const faults = new Faults();
  const found = read(new Reader(faults), faults);
  try {
    faults.throwIfAny("faults", "");
  } catch (error) {
    const lines = (error as Error).message.split("\n");
    return lines.filter((line) => line.startsWith("  - ")).map((line) => line.slice("  - ".length));
  }
  return found;
}

const parse = (value: unknown, apps: Raw = {}): unknown =>
  reading((reader, faults) => parseObjectStore("platform:objectStore", value, apps as never, reader, faults));
const ofApp = (value: unknown, app = "web"): unknown =>
  reading((reader, faults) => parseAppBucket(app, "apps.web.bucket", value, reader, faults));

const USUAL = { storage: "2Gi", memory: "512Mi", cpu: "v2" };
const bucket = (load?: string[]): Raw => ({ bucket: { name: "files", access: "read", load } });

describe("the configuration of the object store", () => {
  it("is nothing where there is none, or nothing is said of it", () =>
    assert.deepEqual([parse(undefined), parse({})], [undefined, undefined]));

  it("fills in what may be left out", () => {
    assert.deepEqual(parse({ mode: "standalone" }), { mode: "standalone", servers: 1, ...USUAL });
    assert.deepEqual(parse({ mode: "distributed" }), { mode: "distributed", servers: 3, ...USUAL });
  });

  it("takes what it is given", () => {
    const given = { mode: "distributed", servers: 5, storage: "9Gi", memory: "1Gi", cpu: "v1" };
    assert.deepEqual(parse(given), given);
  });

  const found = (key: string, value: unknown): string =>
    `platform:objectStore.${key}: found ${JSON.stringify(value)}, allowed is`;
  const refused: [string, Raw | number, string][] = [
    ["something else than an object", 1, "platform:objectStore: found 1, allowed is an object"],
    ["an unknown key", { drives: 2 }, `${found("drives", 2)} one of mode, servers`],
    ["an unknown mode", { mode: "cluster" }, `${found("mode", "cluster")} standalone or distributed`],
    ["more servers than one by itself", { servers: 2 }, `${found("servers", 2)} only 1 in mode standalone`],
    [
      "servers of which none may be lost",
      { mode: "distributed", servers: 2 },
      `${found("servers", 2)} a whole number from 3 to 16 in mode distributed`,
    ],
    ["a small volume", { storage: "256Mi" }, `${found("storage", "256Mi")} at least 512Mi`],
    ["no size at all", { storage: "much" }, `${found("storage", "much")} a size such as`],
    ["too little memory", { memory: "128Mi" }, `${found("memory", "128Mi")} at least 384Mi`],
    ["another processor", { cpu: "arm" }, `${found("cpu", "arm")} v2 or v1`],
  ];
  for (const [what, value, fault] of refused)
    it(`refuses ${what}`, () => {
      const lines = parse(value) as string[];
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.ok(lines[0]?.startsWith(fault), lines[0]);
    });

  it("is needed by those who want a bucket", () => {
    const [line] = parse(undefined, { web: bucket() }) as string[];
    assert.match(
      line ?? "",
      /^platform:apps\.web\.bucket: found .*, allowed is nothing, as there is no platform:objectStore/,
    );
  });

  it("leaves the name of what loads a bucket free for it", () => {
    const apps = { web: bucket(["load"]), "web-loader": {} };
    const [line] = parse({ mode: "standalone" }, apps) as string[];
    assert.match(line ?? "", /^platform:apps\.web-loader: found "web-loader", allowed is another name/);
    assert.ok(!Array.isArray(parse({ mode: "standalone" }, { ...apps, web: bucket() })));
  });
});

describe("an application's bucket", () => {
  it("is none unless it is asked for", () =>
    assert.deepEqual([ofApp(undefined), ofApp(false)], [undefined, undefined]));

  it("has its name, and lets it write, unless it says otherwise", () => {
    assert.deepEqual(ofApp(true), { name: "web", access: "write" });
    const given = { name: "files", access: "read", load: ["node", "load.js"] };
    assert.deepEqual(ofApp(given), given);
  });

  const refused: [string, unknown, string][] = [
    ["something else", "files", 'apps.web.bucket: found "files", allowed is an object'],
    ["an unknown key", { quota: 1 }, "apps.web.bucket.quota: found 1, allowed is one of name, access, load"],
    ["a name with dots", { name: "a.b" }, 'apps.web.bucket.name: found "a.b", allowed is a name of 3 to 63'],
    ["a short name", { name: "ab" }, 'apps.web.bucket.name: found "ab", allowed is a name of 3 to 63'],
    ["MinIO's own", { name: "minio" }, 'apps.web.bucket.name: found "minio", allowed is a name'],
    ["another access", { access: "all" }, 'apps.web.bucket.access: found "all", allowed is read or write'],
    ["a load that is no command", { load: "x" }, 'apps.web.bucket.load: found "x", allowed is a command'],
    ["an empty load", { load: [] }, "apps.web.bucket.load: found [], allowed is a command"],
  ];
  for (const [what, value, fault] of refused)
    it(`refuses ${what}`, () => {
      const lines = ofApp(value) as string[];
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.ok(lines[0]?.startsWith(fault), lines[0]);
    });

  it("is refused under the name of an application that is too short for one", () => {
    const [line] = ofApp(true, "ab") as string[];
    assert.match(line ?? "", /^apps\.web\.bucket\.name: found "ab"/);
  });
});
