import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askedSince, countOf } from "../../costs/audit";
import { over } from "../../costs/limits";

const SINCE = new Date("2026-01-01T12:00:00Z");
const PROVIDER = "pulumi-kubernetes/4.25.0 (linux/amd64)";

describe("an audit log", () => {
  const dir = mkdtempSync(join(tmpdir(), "audit-"));
  after(() => rmSync(dir, { recursive: true }));
  const line = (time: string, verb: string, rest: object = {}): string =>
    `${JSON.stringify({ stage: "ResponseComplete", verb, requestReceivedTimestamp: time, ...rest })}\n`;
  const later = "2026-01-01T12:00:01.000001Z";

  it("is counted by who asked and verb, from then on, with what it was rotated into", () => {
    const log = join(dir, "audit.log");
    writeFileSync(
      join(dir, "audit-2026-01-01T12-00-02.000.log"),
      line("2026-01-01T11:59:59Z", "patch", { userAgent: PROVIDER }) + line(later, "get", { userAgent: PROVIDER }),
    );
    writeFileSync(
      log,
      line(later, "get", { userAgent: PROVIDER }) +
        line(later, "list") +
        line(later, "watch", { stage: "ResponseStarted" }) +
        line(later, "get", { userAgent: "kubectl/v1.34.2" }) +
        line(later, "create", { userAgent: "kubectl/v1.34.2", objectRef: { resource: "pods" } }),
    );
    const asked = askedSince(log, SINCE);
    assert.deepEqual(countOf(asked, "provider"), { get: 2 });
    assert.deepEqual(countOf(asked, "program"), { list: 1 });
    assert.deepEqual(countOf(asked, "kubectl"), { create: 1 });
  });

  it("goes over a limit by one call too many, and by any of a verb that has none", () => {
    assert.deepEqual(over({ get: 2 }, { get: 2 }), []);
    assert.deepEqual(over({ get: 3, patch: 1 }, { get: 2 }), ["get: 3, allowed are 2", "patch: 1, allowed are 0"]);
  });
});
