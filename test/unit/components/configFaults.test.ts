import assert from "node:assert/strict";
import fc from "fast-check";
import { type Raw, app, edge, parse, profile, sound } from "./rawConfig";

/** The lines about single faults, without what stands around them. */
function faultsOf(raw: Raw, stack = "dev"): string[] {
  try {
    parse(raw, stack);
  } catch (error) {
    const lines = (error as Error).message.split("\n");
    return lines.filter((line) => line.startsWith("  - ")).map((line) => line.slice("  - ".length));
  }
  return [];
}

describe("a fault of the configuration", () => {
  const single: [string, Raw, string][] = [
    [
      "what becomes of the data",
      { profile: { ...profile, data: "burn" } },
      'platform:profile.data: found "burn", allowed is keep or delete',
    ],
    [
      "one deployer",
      { deployers: "qa" },
      'platform:deployers: found "qa", allowed is a list of other environments such as',
    ],
    [
      "a deployer twice",
      { deployers: ["qa", "qa"] },
      'platform:deployers: found ["qa","qa"], allowed is a list of other',
    ],
    [
      "a deployer without a name",
      { deployers: ["QA!"] },
      'platform:deployers: found ["QA!"], allowed is a list of other',
    ],
    ["a deployer of itself", { deployers: ["dev"] }, 'platform:deployers: found ["dev"], allowed is a list of other'],
    [
      "deployers where others install",
      { deployers: ["prod"], clusterServices: "use" },
      'platform:deployers: found ["prod"], allowed is nothing where platform:clusterServices is use',
    ],
    [
      "a page that watches nobody",
      { status: { source: "apps/status-page" } },
      "platform:status.environments: found nothing, allowed is a list of stacks such as",
    ],
    [
      "a page that watches one twice",
      { status: { source: "apps/status-page", environments: ["qa", "qa"] } },
      'platform:status.environments: found ["qa","qa"], allowed is a list of stacks',
    ],
    [
      "a page without a source where images are built",
      { status: { from: "dev", environments: ["qa"] } },
      "platform:status.source: found nothing, allowed is the folder with the page's Dockerfile",
    ],
    [
      "a page without a stage before where none are",
      { build: false, apps: {}, status: { source: "apps/status-page", environments: ["qa"] } },
      "platform:status.from: found nothing, allowed is the stack whose image to run",
    ],
    [
      "a page that asks all the time",
      { status: { source: "apps/status-page", environments: ["qa"], interval: "1s" } },
      'platform:status.interval: found "1s", allowed is from 5s to 1h',
    ],
    [
      "a page that hardly asks",
      { status: { source: "apps/status-page", environments: ["qa"], interval: "2h" } },
      'platform:status.interval: found "2h", allowed is from 5s to 1h',
    ],
    [
      "a word that the page does not know",
      { status: { source: "apps/status-page", environments: ["qa"], host: "kuma" } },
      'platform:status.host: found "kuma", allowed is one of environments, source, from, interval',
    ],
    [
      "an application of the page's name",
      { apps: { "status-page": app }, status: { source: "apps/status-page", environments: ["qa"] } },
      "platform:apps.status-page: found {",
    ],
    [
      "an application with the page's host",
      { apps: { web: { ...app, host: "status" } } },
      'platform:apps.web.host: found "status", allowed is a label of its own, as the platform has this one',
    ],
    ["the pin", { clusterUid: 12 }, "platform:clusterUid: found 12, allowed is the UID of the cluster's kube-system"],
    ["build", { build: "perhaps", apps: {} }, 'platform:build: found "perhaps", allowed is true or false'],
    [
      "an even number of servers",
      { secrets: { replicas: 2 } },
      "platform:secrets.replicas: found 2, allowed is 1, 3 or 5",
    ],
    ["no time", { secrets: { refresh: "soon" } }, 'platform:secrets.refresh: found "soon", allowed is a time such as'],
    [
      "an unknown seal",
      { secrets: { seal: { type: "tape" } } },
      'platform:secrets.seal.type: found "tape", allowed is cluster or transit',
    ],
    [
      "a service's seal without its settings",
      { secrets: { seal: { type: "awskms" } } },
      "platform:secrets.seal.settings: found nothing, allowed is the settings of Vault's seal",
    ],
    [
      "a setting that is no text",
      { secrets: { seal: { type: "awskms", settings: { region: 1 } } } },
      "platform:secrets.seal.settings.region: found 1, allowed is a text",
    ],
    [
      "a credential that is no name",
      { secrets: { seal: { type: "awskms", settings: { region: "x" }, credentials: 1 } } },
      "platform:secrets.seal.credentials: found 1, allowed is the name of a Secret",
    ],
    [
      "neither installing nor using",
      { clusterServices: "maybe" },
      'platform:clusterServices: found "maybe", allowed is',
    ],
    ["no domain", { edge: {} }, "platform:edge.domain: found nothing, allowed is the domain of the environment's"],
    [
      "a domain of one label",
      { edge: { domain: "test" } },
      'platform:edge.domain: found "test", allowed is the domain',
    ],
    [
      "a domain that leaves no room for a host",
      { edge: { domain: `${"a.".repeat(95)}test` } },
      "platform:edge.domain: found",
    ],
    [
      "no edge at all",
      { edge: { ...edge, replicas: 0 } },
      "platform:edge.replicas: found 0, allowed is a whole number",
    ],
    [
      "how long samples are kept",
      { monitoring: { retention: "90s" } },
      'platform:monitoring.retention: found "90s", allowed is a time such as "12h"',
    ],
    [
      "where alerts go to",
      { monitoring: { webhook: { url: "alerts.example", addresses: ["203.0.113.7/32"] } } },
      'platform:monitoring.webhook.url: found "alerts.example", allowed is where alerts are posted to',
    ],
    [
      "where that is",
      { monitoring: { webhook: { url: "https://alerts.example" } } },
      "platform:monitoring.webhook.addresses: found nothing, allowed is the address ranges",
    ],
    ["where runbooks are", { monitoring: { runbooks: 1 } }, "platform:monitoring.runbooks: found 1, allowed is a text"],
    [
      "whether there are dashboards",
      { monitoring: { grafana: "auto" } },
      'platform:monitoring.grafana: found "auto", allowed is true or false',
    ],
    [
      "dashboards of nothing",
      { monitoring: { enabled: false, grafana: true } },
      "platform:monitoring.grafana: found true, allowed is false or nothing, as platform:monitoring.enabled is false",
    ],
    ["a section", { redis: [] }, "platform:redis: found [], allowed is an object"],
    [
      "an unknown key",
      { redis: { size: "1Gi" } },
      'platform:redis.size: found "1Gi", allowed is one of mode, masters, replicas, storage, memory',
    ],
    [
      "a mode",
      { redis: { mode: "ha" } },
      'platform:redis.mode: found "ha", allowed is standalone or sentinel or cluster',
    ],
    [
      "masters of one server",
      { redis: { masters: 3 } },
      "platform:redis.masters: found 3, allowed is only 1 in mode stand",
    ],
    [
      "too few sentinels",
      { redis: { mode: "sentinel", replicas: 1 } },
      "platform:redis.replicas: found 1, allowed is a whole number from 2 to 6 in mode sentinel",
    ],
    [
      "too few masters",
      { redis: { mode: "cluster", masters: 2 } },
      "platform:redis.masters: found 2, allowed is a whole number from 3 to 16 in mode cluster",
    ],
    ["a size", { redis: { memory: "64MB" } }, 'platform:redis.memory: found "64MB", allowed is a size such as "512Mi"'],
    ["no size", { registry: { storage: "0Gi" } }, 'platform:registry.storage: found "0Gi", allowed is a size'],
    ["too many", { profile: { ...profile, replicas: 21 } }, "platform:profile.replicas: found 21, allowed is a whole"],
    ["a fraction", { profile: { ...profile, replicas: 1.5 } }, "platform:profile.replicas: found 1.5, allowed is a"],
    [
      "the spread",
      { profile: { ...profile, spread: "tight" } },
      'platform:profile.spread: found "tight", allowed is soft',
    ],
    [
      "a quota that is missing",
      { profile: { ...profile, quota: { cpu: "8", pods: 4 } } },
      'platform:profile.quota.memory: found nothing, allowed is a size such as "512Mi" or "2Gi"',
    ],
    ["a port", { apps: { web: { ...app, port: 65_536 } } }, "platform:apps.web.port: found 65536, allowed is a whole"],
    ["a flag", { apps: { web: { ...app, redis: "yes" } } }, 'platform:apps.web.redis: found "yes", allowed is true or'],
    ["a name", { apps: { Web_1: app } }, 'platform:apps.Web_1: found "Web_1", allowed is a name of 1 to 30 lower-case'],
    [
      "no source",
      { apps: { web: { ...app, source: "" } } },
      'platform:apps.web.source: found "", allowed is the folder',
    ],
    [
      "nobody",
      { access: { developers: [] } },
      "platform:access.developers: found [], allowed is a list of groups such",
    ],
    [
      "everybody",
      { access: { developers: ["web", "system:authenticated"] } },
      'platform:access.developers: found ["web","system:authenticated"], allowed is a list of groups',
    ],
    ["a flag of access", { access: { exec: 1 } }, "platform:access.exec: found 1, allowed is true or false"],
    ["no stage", { build: false }, "platform:apps.web.from: found nothing, allowed is the stack whose image to run"],
  ];
  for (const [what, change, expected] of single) {
    it(`names ${what} with key, value and what is allowed`, () => {
      const found = faultsOf({ ...sound, ...change });
      assert.equal(found.length, 1, found.join("\n"));
      assert.ok(found[0]?.startsWith(expected), `expected: ${expected}\nfound:    ${found[0]}`);
    });
  }

  it("refuses a stack whose name cannot start a namespace", () => {
    for (const stack of ["", "Dev", "1st", "dev-", "a".repeat(31), "dev_1"])
      assert.match(faultsOf(sound, stack)[0] ?? "", /^the stack's name: found /, stack);
  });

  it("names all faults together, and where to mend them", () => {
    const raw = { ...sound, build: 1, redis: "no", profile: { spread: "tight" }, apps: { web: { port: -1 }, "9": 9 } };
    const places = faultsOf(raw).map((line) => line.split(": found")[0]);
    assert.deepEqual(places, [
      "platform:build",
      "platform:redis",
      "platform:profile.replicas",
      "platform:profile.spread",
      "platform:profile.quota.cpu",
      "platform:profile.quota.memory",
      "platform:profile.quota.pods",
      "platform:apps.9",
      "platform:apps.9",
      "platform:apps.9.from",
      "platform:apps.9.port",
      "platform:apps.web.from",
      "platform:apps.web.port",
    ]);
    assert.throws(() => parse(raw), /^Error: the configuration of stack "dev" has faults, and nothing was done:\n/);
    assert.throws(() => parse(raw), /\nMend them in Pulumi\.dev\.yaml \(keys and types: Pulumi\.yaml\)\.$/);
  });

  it("meets any value with a usable configuration or with the one collected error", () => {
    const keys = ["clusterUid", "build", "registry", "redis", "edge", "profile", "apps"];
    const hostile = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(undefined, null, "", { __proto__: null }, { constructor: 1 }),
      fc.record({ replicas: fc.jsonValue(), spread: fc.jsonValue(), quota: fc.jsonValue() }, { requiredKeys: [] }),
      fc.dictionary(fc.string(), fc.record({ port: fc.jsonValue(), source: fc.jsonValue() }, { requiredKeys: [] })),
    );
    const raws = fc.record(Object.fromEntries(keys.map((key) => [key, hostile])), { requiredKeys: [] });
    fc.assert(
      fc.property(raws, fc.oneof(fc.constant("dev"), fc.string()), (raw, stack) => {
        try {
          const config = parse(raw, stack);
          assert.ok(config.profile.replicas >= 1 && config.profile.replicas <= 20);
          assert.ok(Object.values(config.apps).every(({ port }) => port >= 1 && port <= 65_535));
        } catch (error) {
          assert.match((error as Error).message, /^the configuration of stack .* has faults, and nothing was done:\n/s);
        }
      }),
    );
  });
});
