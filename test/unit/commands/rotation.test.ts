import assert from "node:assert/strict";
import type { Stand } from "../../../checks/stand";
import { knownIn } from "../../../commands/rotation/credentials";
import { type Sync, readersOf, syncsOf } from "../../../commands/rotation/objects";
import { type Raw, parse, sound } from "../components/rawConfig";

const known = (more: Raw = {}): ReturnType<typeof knownIn> => knownIn(parse({ ...sound, ...more }));

const app = (more: object = {}): Record<string, unknown> => ({
  apps: { "my-web": { source: "apps/web", port: 3000, ...more } },
});

describe("what can be rotated", () => {
  it("is what Redis knows, but for what its exporter is told at its start", () => {
    const { credentials } = known();
    assert.deepEqual(
      credentials.map(({ name }) => name),
      ["redis/app", "redis/servers"],
    );
    const properties: readonly string[] = credentials[1]?.properties ?? [];
    assert.equal(properties[0], "keeper");
    assert.ok(properties.includes("probe"));
    assert.ok(!properties.includes("exporter") && !properties.includes("app"));
  });

  it("is what each application with a database has at Postgres, under its role", () => {
    const postgres = { mode: "single", storage: "1Gi", memory: "256Mi" };
    const { credentials } = known({ ...app({ postgres: { database: "orders" } }), postgres });
    const found = credentials.find(({ name }) => name === "postgres/my-web");
    assert.deepEqual(found?.properties, ["my_web"]);
    assert.deepEqual(found?.at, { kind: "postgres", role: "my_web", database: "orders" });
  });

  it("is no key that may have encrypted something, and says so", () => {
    const { credentials, byHand } = known(app({ generate: ["OTS_KEY"] }));
    assert.ok(!credentials.some(({ name }) => name.startsWith("app/")));
    assert.match(byHand.find(({ name }) => name === "app/my-web/OTS_KEY")?.why ?? "", /would be lost/);
  });
});

const pod = (name: string, spec: object): object => ({
  metadata: { name, namespace: "dev-apps" },
  spec,
  status: { phase: "Running" },
});

const sync = (name: string, key: string): Sync => ({
  metadata: { name, namespace: "dev-apps" },
  spec: { target: { name }, data: [{ remoteRef: { key } }] },
});

describe("who has a password", () => {
  const envFrom = [{ secretRef: { name: "web-redis" } }];
  const volumes = [{ name: "login", secret: { secretName: "web-redis", items: [{ path: "REDIS_PASSWORD" }] } }];
  const volumeMounts = [{ name: "login", mountPath: "/etc/logins/redis" }];
  const pods = [
    pod("hears", { containers: [{ name: "app", envFrom, volumeMounts }], volumes }),
    pod("is-deaf", { containers: [{ name: "app", envFrom }] }),
    pod("has-none", { containers: [{ name: "app" }] }),
  ];
  const stand = {
    objects: () => Promise.resolve(pods),
    own: () => Promise.resolve([sync("web-redis", "redis/app"), sync("web-postgres", "postgres/web")]),
  } as unknown as Stand;

  it("is found by the path of Vault", async () => {
    const found = await syncsOf(stand, "redis/app");
    assert.deepEqual(
      found.map(({ metadata }) => metadata.name),
      ["web-redis"],
    );
  });

  it("reads it in a file, or was told once", async () => {
    const { holders, deaf } = await readersOf(stand, [sync("web-redis", "redis/app")]);
    assert.deepEqual(
      holders.map(({ pod: each, container, file }) => [each.metadata.name, container, file]),
      [["hears", "app", "/etc/logins/redis/REDIS_PASSWORD"]],
    );
    assert.deepEqual(
      deaf.map(({ metadata }) => metadata.name),
      ["is-deaf"],
    );
  });
});
