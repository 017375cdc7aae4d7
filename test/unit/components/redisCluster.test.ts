import assert from "node:assert/strict";
import { type Recording, SECRET, record } from "./recorder";
import { Scene, field, one } from "./scene";

const PASSWORD = "generated-redis-password";

describe("RedisCluster", () => {
  let recording: Recording;
  before(async () => {
    recording = await record(() => {
      const { host, port, username, password } = new Scene().redis("redis", {
        memory: "100Mi",
        storage: "3Gi",
      }).connection;
      return { host, port, username, password };
    });
  });

  it("gives away its password as a secret only", () => {
    const { password, ...rest } = recording.outputs;
    assert.equal(password, SECRET);
    assert.deepEqual(rest, { host: "redis.dev-data.svc.cluster.local", port: 6379, username: "app" });
    assert.ok(!JSON.stringify(recording.resources.map(({ inputs }) => inputs)).includes(PASSWORD));
    assert.equal(one(recording, "Secret").inputs.stringData, SECRET);
  });

  it("turns the default user off and lets its own neither administrate nor endanger", () => {
    const users = (one(recording, "Secret").opened.stringData as Record<string, string>)["users.acl"] ?? "";
    assert.match(users, /^user default off$/m);
    assert.match(users, /^user probe on nopass -@all \+ping$/m);
    assert.match(users, new RegExp(`^user app on >${PASSWORD} .* -@admin -@dangerous`, "m"));
  });

  it("keeps its data on a volume of its own, in an append-only file", () => {
    const claim = "spec.volumeClaimTemplates.0.spec.resources.requests.storage";
    assert.equal(field(one(recording, "StatefulSet"), claim), "3Gi");
    const { data } = one(recording, "ConfigMap").inputs as { data: Record<string, string> };
    assert.match(data["redis.conf"] ?? "", /^appendonly yes$/m);
  });

  it("refuses writes before its memory runs out, and never drops what it holds", () => {
    const { data } = one(recording, "ConfigMap").inputs as { data: Record<string, string> };
    assert.match(data["redis.conf"] ?? "", new RegExp(`^maxmemory ${60 * 2 ** 20}$`, "m"));
    assert.match(data["redis.conf"] ?? "", /^maxmemory-policy noeviction$/m);
    const limits = field(one(recording, "StatefulSet"), "spec.template.spec.containers.0.resources.limits.memory");
    assert.equal(limits, "100Mi");
  });

  it("runs with the settings and users it makes, under names that change with them", () => {
    const volumes = field(one(recording, "StatefulSet"), "spec.template.spec.volumes");
    assert.deepEqual(volumes, [
      { name: "config", configMap: { name: "redis-config-auto" } },
      { name: "users", secret: { secretName: "redis-users-auto" } },
    ]);
  });

  it("opens no path to itself: those who use it do", () => {
    assert.ok(!recording.resources.some(({ type }) => type.endsWith(":NetworkPolicy")));
  });
});
