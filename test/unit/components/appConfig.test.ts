import assert from "node:assert/strict";
import { type AppConfig, parseApps } from "../../../components/lib/appConfig";
import { resourcesOf, secretKey } from "../../../components/lib/appSettings";
import { Reader } from "../../../components/lib/configReader";
import { Faults } from "../../../components/lib/faults";

type Raw = Record<string, unknown>;

const sound = { source: "apps/web", port: 3000 };

/** The applications, or the lines about what is wrong with them. */
function parse(apps: unknown): Record<string, AppConfig> | string[] {
  const faults = new Faults();
  const parsed = parseApps("apps", apps, true, new Reader(faults), faults);
  try {
    faults.throwIfAny("faults", "");
  } catch (error) {
    const lines = (error as Error).message.split("\n");
    return lines.filter((line) => line.startsWith("  - ")).map((line) => line.slice("  - ".length));
  }
  return parsed;
}

const web = (change: Raw): unknown => {
  const parsed = parse({ web: { ...sound, ...change } });
  return Array.isArray(parsed) ? parsed : parsed.web;
};

describe("an application's entry in a stack file", () => {
  it("says all that an application may be told", () => {
    const settings = {
      host: "web",
      path: "/api/v1",
      autoscale: { min: 2, max: 6, cpu: 60 },
      resources: { requests: { cpu: "100m" }, limits: { memory: "512Mi" } },
      env: { LEVEL: "info" },
      secrets: { API_KEY: "apps/web#api_key" },
      generate: ["SESSION_KEY"],
    };
    const found = web(settings) as AppConfig;
    for (const [key, value] of Object.entries(settings)) assert.deepEqual(found[key as keyof AppConfig], value, key);
    assert.equal((web({ replicas: 2 }) as AppConfig).replicas, 2);
  });

  const single: [string, Raw, string][] = [
    ["an unknown key", { hosts: "web" }, 'apps.web.hosts: found "web", allowed is one of source, from'],
    ["a host of two labels", { host: "a.b" }, 'apps.web.host: found "a.b", allowed is a label below the domain'],
    ["a path without its slash", { host: "web", path: "api" }, 'apps.web.path: found "api", allowed is a path without'],
    ["a path with one too many", { host: "web", path: "/api/" }, 'apps.web.path: found "/api/", allowed is a path'],
    ["a path that climbs", { host: "web", path: "/api/../x" }, 'apps.web.path: found "/api/../x", allowed is a path'],
    ["a path of no host", { path: "/api" }, 'apps.web.path: found "/api", allowed is nothing, as there is no host'],
    ["a host in capitals", { host: "Web" }, 'apps.web.host: found "Web", allowed is a label below the domain'],
    ["a thing to generate", { generate: "KEY" }, 'apps.web.generate: found "KEY", allowed is a list of variables'],
    [
      "something generated twice",
      { generate: ["KEY", "KEY"] },
      'apps.web.generate: found "KEY", allowed is a variable that',
    ],
    [
      "something generated that is given",
      { env: { KEY: "1" }, generate: ["KEY"] },
      'apps.web.generate: found "KEY", allowed is a variable that is nowhere else',
    ],
    [
      "something generated under a key of Vault",
      { secrets: { OTHER: "apps/web#KEY" }, generate: ["KEY"] },
      'apps.web.generate: found "KEY", allowed is a variable that is nowhere else',
    ],
    [
      "something generated without a name",
      { generate: ["A-B"] },
      'apps.web: found "A-B", allowed is the name of a variable',
    ],
    [
      "metrics that are neither told nor not",
      { metrics: "yes" },
      'apps.web.metrics: found "yes", allowed is true or false',
    ],
    [
      "a bucket with another access",
      { bucket: { access: "all" } },
      'apps.web.bucket.access: found "all", allowed is read or write',
    ],
    ["no replicas", { replicas: 0 }, "apps.web.replicas: found 0, allowed is a whole number from 1 to 100"],
    [
      "replicas beside an autoscaler",
      { replicas: 2, autoscale: { min: 1, max: 2, cpu: 60 } },
      "apps.web.replicas: found 2, allowed is nothing, as autoscale decides",
    ],
    [
      "an autoscaler without its aim",
      { autoscale: { min: 1, max: 2 } },
      "apps.web.autoscale.cpu: found nothing, allowed is a whole number from 1 to 100",
    ],
    [
      "more at least than at most",
      { autoscale: { min: 3, max: 2, cpu: 60 } },
      "apps.web.autoscale.min: found 3, allowed is no more than the max of 2",
    ],
    [
      "an amount of CPU",
      { resources: { requests: { cpu: "much" } } },
      'apps.web.resources.requests.cpu: found "much", allowed is CPU cores',
    ],
    [
      "an amount of memory",
      { resources: { limits: { memory: "512MB" } } },
      'apps.web.resources.limits.memory: found "512MB", allowed is a size',
    ],
    [
      "a request above the usual limit",
      { resources: { requests: { memory: "1Gi" } } },
      'apps.web.resources.requests.memory: found "1Gi", allowed is no more than the limit of 256Mi',
    ],
    [
      "a limit below the usual request",
      { resources: { limits: { cpu: "10m" } } },
      'apps.web.resources.requests.cpu: found "50m", allowed is no more than the limit of 10m',
    ],
    [
      "another kind of resource",
      { resources: { requests: { disk: "1Gi" } } },
      'apps.web.resources.requests.disk: found "1Gi", allowed is one of cpu, memory',
    ],
    [
      "a setting that is no text",
      { env: { PORT: 80 } },
      "apps.web.env.PORT: found 80, allowed is a text, in quotation",
    ],
    ["a variable's name", { env: { "A-B": "x" } }, 'apps.web: found "A-B", allowed is the name of a variable'],
    [
      "a setting that is a secret too",
      { env: { KEY: "x" }, secrets: { KEY: "apps/web#key" } },
      'apps.web.env.KEY: found "x", allowed is nothing, as a secret has that name',
    ],
    [
      "a secret of somebody else",
      { secrets: { KEY: "apps/other#key" } },
      `apps.web.secrets.KEY: found "apps/other#key", allowed is a key at the application's path: "apps/web#key"`,
    ],
    [
      "a secret that is no text",
      { secrets: { KEY: 1 } },
      "apps.web.secrets.KEY: found 1, allowed is a text, in quotation marks",
    ],
  ];
  for (const [what, change, expected] of single) {
    it(`is refused for ${what}, with key, value and what is allowed`, () => {
      const found = web(change);
      assert.ok(Array.isArray(found), "it was taken");
      assert.equal(found.length, 1, found.join("\n"));
      assert.ok(String(found[0]).startsWith(expected), `${expected}\n${found[0]}`);
    });
  }

  it("has a host that no other has", () => {
    const both = { one: { ...sound, host: "web" }, two: { ...sound, host: "web" } };
    assert.deepEqual(parse(both), ['apps.two.host: found "web", allowed is a label of its own, as one has this one']);
    assert.deepEqual(parse({ one: { ...sound, host: "grafana" } }), [
      'apps.one.host: found "grafana", allowed is a label of its own, as the platform has this one',
    ]);
    assert.ok(!Array.isArray(parse({ ...both, two: { ...sound, host: "two" } })));
    assert.ok(!Array.isArray(parse({ one: sound, two: sound })));
  });

  it("shares a host by a path that no other has there", () => {
    const at = (path?: string): Raw => ({ ...sound, host: "web", path });
    assert.ok(!Array.isArray(parse({ one: at(), two: at("/api"), three: at("/api/v2") })));
    assert.deepEqual(parse({ one: at(), two: at("/api"), three: at("/api") }), [
      'apps.three.path: found "/api", allowed is a path of its own, as two has this one',
    ]);
    assert.deepEqual(parse({ one: { ...at("/api"), host: "grafana" } }), [
      'apps.one.host: found "grafana", allowed is a label of its own, as the platform has this one',
    ]);
  });
});

describe("a key at an application's path in Vault", () => {
  it("is told from every other text", () => {
    assert.equal(secretKey("web", "apps/web#api_key"), "api_key");
    for (const text of [
      "apps/web",
      "apps/web#",
      "apps/web#a-b",
      "apps/web#a#b",
      "apps/web/x#a",
      "redis/app#app",
      "",
      7,
    ])
      assert.equal(secretKey("web", text), undefined, String(text));
  });
});

describe("an application's resources", () => {
  it("are the usual ones where nothing is said", () => {
    assert.deepEqual(resourcesOf({ limits: { memory: "1Gi" } }), {
      requests: { cpu: "50m", memory: "96Mi" },
      limits: { cpu: "1", memory: "1Gi" },
    });
  });
});
