import assert from "node:assert/strict";
import { Reader } from "../../../components/lib/configReader";
import { Faults } from "../../../components/lib/faults";
import { parseAppDatabase, parsePostgres } from "../../../components/lib/postgresConfig";

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

const database = (connections = 10, name = "web"): Raw => ({ postgres: { database: name, connections } });
const parse = (value: unknown, apps: Raw = {}): unknown =>
  reading((reader, faults) => parsePostgres("platform:postgres", value, apps as never, reader, faults));
const ofApp = (value: unknown, app = "web"): unknown =>
  reading((reader, faults) => parseAppDatabase(app, "apps.web.postgres", value, reader, faults));

const external = { host: "db.example.com", addresses: ["203.0.113.7/32"] };
const SINGLE = { mode: "single" };
const CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

describe("the configuration of Postgres", () => {
  it("is nothing where there is none, or nothing is said of it", () =>
    assert.deepEqual([parse(undefined), parse({})], [undefined, undefined]));

  it("fills in what may be left out", () => {
    const usual = { storage: "2Gi", memory: "256Mi", connections: 50 };
    assert.deepEqual(parse({ mode: "single" }), { mode: "single", replicas: 0, ...usual });
    assert.deepEqual(parse({ mode: "replicated" }), { mode: "replicated", replicas: 2, ...usual, memory: "384Mi" });
  });

  it("takes what it is given", () => {
    const given = { mode: "replicated", replicas: 3, storage: "9Gi", memory: "1Gi", connections: 200 };
    assert.deepEqual(parse(given), given);
  });

  it("names servers of somebody else's", () => {
    assert.deepEqual(parse({ external }), { external: { ...external, port: 5432, ca: undefined } });
    const given = { ...external, port: 6432, ca: CA };
    assert.deepEqual(parse({ external: given }), { external: given });
  });

  it("counts the connections of all applications together", () => {
    const apps = { web: database(20), shop: database(15, "shop") };
    assert.ok(!Array.isArray(parse({ connections: 50 }, apps)));
    assert.deepEqual(parse({ connections: 49 }, apps), [
      "platform:postgres.connections: found 49, allowed is at least 50: 35 for the applications, 15 for the platform",
    ]);
  });

  const single: [string, unknown, Raw, string][] = [
    ["something else than an object", 1, {}, "platform:postgres: found 1, allowed is an object"],
    ["an unknown key", { size: 1 }, {}, "platform:postgres.size: found 1, allowed is one of mode, replicas"],
    ["an unknown mode", { mode: "cluster" }, {}, 'platform:postgres.mode: found "cluster", allowed is single or repl'],
    ["copies of a single one", { replicas: 1 }, {}, "platform:postgres.replicas: found 1, allowed is only 0 in mode"],
    [
      "too few copies",
      { mode: "replicated", replicas: 1 },
      {},
      "platform:postgres.replicas: found 1, allowed is a whole number from 2 to 4 in mode replicated",
    ],
    [
      "too little memory",
      { memory: "128Mi" },
      {},
      'platform:postgres.memory: found "128Mi", allowed is at least 256Mi',
    ],
    ["a small volume", { storage: "256Mi" }, {}, 'platform:postgres.storage: found "256Mi", allowed is at least 512Mi'],
    [
      "no connections",
      { connections: 0 },
      {},
      "platform:postgres.connections: found 0, allowed is a whole number from",
    ],
    [
      "a size beside external",
      { external, memory: "1Gi" },
      {},
      'platform:postgres.memory: found "1Gi", allowed is nothi',
    ],
    [
      "no host",
      { external: { ...external, host: "postgres://db" } },
      {},
      'platform:postgres.external.host: found "postgres://db", allowed is the name in its certificate',
    ],
    [
      "no addresses",
      { external: { host: "db" } },
      {},
      "platform:postgres.external.addresses: found nothing, allowed is the address ranges",
    ],
    [
      "a port",
      { external: { ...external, port: 0 } },
      {},
      "platform:postgres.external.port: found 0, allowed is a whole",
    ],
    [
      "no certificate",
      { external: { ...external, ca: "x" } },
      {},
      'platform:postgres.external.ca: found "x", allowed is',
    ],
    [
      "an application without a Postgres",
      undefined,
      { web: database() },
      'platform:apps.web.postgres: found {"database":"web","connections":10}, allowed is nothing, as there is no platform',
    ],
    [
      "an application of the platform's name",
      SINGLE,
      { admin: database() },
      'platform:apps.admin: found "admin", allowed is',
    ],
    [
      "one of Postgres' names",
      SINGLE,
      { "pg-x": database() },
      'platform:apps.pg-x: found "pg-x", allowed is another name, as',
    ],
    [
      "a database of the platform's",
      SINGLE,
      { web: database(5, "postgres") },
      'platform:apps.web.postgres.database: found "postgres", allowed is a name that neither Postgres',
    ],
    [
      "a database of two",
      SINGLE,
      { web: database(), shop: database() },
      'platform:apps.shop.postgres.database: found "web", allowed is a database of its own, as web has this one',
    ],
  ];
  for (const [what, value, apps, expected] of single)
    it(`names ${what} with key, value and what is allowed`, () => {
      const found = parse(value, apps) as string[];
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.ok(found[0]?.startsWith(expected), `expected: ${expected}\nfound:    ${found[0]}`);
    });

  it("names all faults together", () => {
    const found = parse({ mode: "x", memory: 1, external: { host: 1 } }, { exporter: database() }) as string[];
    assert.equal(found.length, 5, found.join("\n"));
  });
});

describe("an application's database", () => {
  it("is one of its own name, without what would need quotes", () => {
    assert.deepEqual(ofApp(true, "visit-tracker"), { database: "visit_tracker", connections: 10 });
    assert.deepEqual(ofApp({}), { database: "web", connections: 10 });
    assert.deepEqual(ofApp({ database: "shop", connections: 5 }), { database: "shop", connections: 5 });
  });

  it("is none where none is asked for", () =>
    assert.deepEqual([ofApp(undefined), ofApp(false)], [undefined, undefined]));

  const single: [string, unknown, string][] = [
    ["no object", "yes", 'apps.web.postgres: found "yes", allowed is an object'],
    ["an unknown key", { name: "x" }, 'apps.web.postgres.name: found "x", allowed is one of database, connections'],
    ["a name in capitals", { database: "Web" }, 'apps.web.postgres.database: found "Web", allowed is a name of lower'],
    ["a name with a dot", { database: "a.b" }, 'apps.web.postgres.database: found "a.b", allowed is a name of lower'],
    ["a name of Postgres'", { database: "pg_x" }, 'apps.web.postgres.database: found "pg_x", allowed is a name of'],
    ["no connections", { connections: 0 }, "apps.web.postgres.connections: found 0, allowed is a whole number from 1"],
  ];
  for (const [what, value, expected] of single)
    it(`is refused with ${what}`, () => {
      const found = ofApp(value) as string[];
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.ok(found[0]?.startsWith(expected), `expected: ${expected}\nfound:    ${found[0]}`);
    });
});
