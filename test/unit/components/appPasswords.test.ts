import assert from "node:assert/strict";
import { type Recording, record } from "./recorder";
import { Scene, field, one } from "./scene";

const CONTAINER = "spec.template.spec.containers.0";

describe("an application with a Redis", () => {
  let recording: Recording;
  before(async () => {
    recording = await record(() => {
      const scene = new Scene();
      scene.app("web", { redis: scene.redis(), env: { LEVEL: "info" } });
    });
  });

  it("takes the credentials from a secret, and plain settings as they are", () => {
    const server = one(recording, "Deployment");
    assert.deepEqual(field(server, `${CONTAINER}.envFrom`), [{ secretRef: { name: "web-redis" } }]);
    assert.deepEqual(field(server, `${CONTAINER}.env`), [
      { name: "LEVEL", value: "info" },
      { name: "REDIS_PASSWORD_FILE", value: "/etc/logins/redis/REDIS_PASSWORD" },
    ]);
  });

  it("has its password as a file, which follows the Secret, and nothing else of it", () => {
    const server = one(recording, "Deployment");
    const mount = { name: "redis-login", mountPath: "/etc/logins/redis", readOnly: true };
    assert.deepEqual(field(server, `${CONTAINER}.volumeMounts.1`), mount);
    const items = [{ key: "REDIS_PASSWORD", path: "REDIS_PASSWORD" }];
    const volume = { name: "redis-login", secret: { secretName: "web-redis", items, defaultMode: 0o440 } };
    assert.deepEqual(field(server, "spec.template.spec.volumes.1"), volume);
  });

  it("is told its password by its environment only, where it says so", async () => {
    const told = await record(() => {
      const scene = new Scene();
      scene.app("web", { redis: scene.redis(), passwordFiles: false });
    });
    assert.deepEqual(field(one(told, "Deployment"), `${CONTAINER}.env`), []);
    assert.deepEqual(
      (field(one(told, "Deployment"), "spec.template.spec.volumes") as { name: string }[]).map(({ name }) => name),
      ["tmp"],
    );
  });
});
