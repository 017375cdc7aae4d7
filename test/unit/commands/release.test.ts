import assert from "node:assert/strict";
import { abandoned } from "../../../commands/release";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const item = (namespace: string, name: string, rest: object): { metadata: { namespace: string; name: string } } => ({
  metadata: { namespace, name, ...rest },
});
const finalizers = ["cleanup"];

describe("synced secrets that their controller does not let go", () => {
  it("are those of the stack that were deleted a while ago and still wait", () => {
    const items = [
      item("dev-apps", "stuck", { deletionTimestamp: ago(30), finalizers }),
      item("dev-apps", "just-deleted", { deletionTimestamp: ago(5), finalizers }),
      item("dev-apps", "living", { finalizers }),
      item("dev-apps", "waits-for-nobody", { deletionTimestamp: ago(30) }),
      item("qa-apps", "of-another-stack", { deletionTimestamp: ago(30), finalizers }),
      item("development", "of-somebody-else", { deletionTimestamp: ago(30), finalizers }),
    ];
    assert.deepEqual(
      abandoned(items, "dev", NOW).map(({ name }) => name),
      ["stuck"],
    );
  });
});
