import assert from "node:assert/strict";
import fc from "fast-check";
import { marker, previewSummary, type PreviewReport } from "../../../commands/previewSummary";

const urn = (name: string): string => `urn:pulumi:dev::platform::some:type::${name}`;
const step = (op: string, name: string, more: object = {}, custom = true): string =>
  JSON.stringify({
    resourcePreEvent: {
      metadata: { op, urn: urn(name), type: "kubernetes:apps/v1:Deployment", old: null, new: { custom }, ...more },
    },
  });
const rule = (message: string, enforcementLevel: string): string =>
  JSON.stringify({ policyEvent: { resourceUrn: urn("web"), message, policyName: "non-root", enforcementLevel } });
const said = (severity: string, message: string, more: object = {}): string =>
  JSON.stringify({ diagnosticEvent: { severity, message, ...more } });

const report = (events: readonly string[], more: Partial<PreviewReport> = {}): string =>
  previewSummary({
    stack: "dev",
    against: "a cluster",
    succeeded: true,
    seconds: 4.4,
    events: `${events.join("\n")}\n`,
    ...more,
  });

describe("the summary of a preview", () => {
  it("counts what a provider would do and lists it, most dangerous first", () => {
    const text = report([
      step("create", "b"),
      step("create", "a"),
      step("same", "c"),
      step("delete", "d", { old: { custom: true }, new: null }),
      step("update", "e", { diffs: ["spec", "metadata"] }),
      step("replace", "f", { diffs: null, detailedDiff: { "spec.clusterIP": {} } }),
      step("create-replacement", "f"),
      step("create", "a component", {}, false),
      step("create", "provider", { type: "pulumi:providers:kubernetes" }),
    ]);
    assert.match(text, /^### Preview of `dev`: 2 to create, 1 to update, 1 to replace, 1 to delete$/m);
    const rows = text.split("\n").filter((line) => /^\| [a-z]/.test(line));
    assert.deepEqual(rows, [
      "| delete | d | Deployment |  |",
      "| replace | f | Deployment | spec.clusterIP |",
      "| update | e | Deployment | spec, metadata |",
      "| create | a | Deployment |  |",
      "| create | b | Deployment |  |",
    ]);
    assert.match(text, /<sub>1 unchanged · 4 s · policy pack included<\/sub>/);
  });

  it("says so when nothing changes", () => {
    const text = report([step("same", "a")]);
    assert.match(text, /^### Preview of `dev`: no change$/m);
    assert.ok(!text.includes("<details>"));
  });

  it("begins with the marker and says what it was compared with", () => {
    const text = report([], { against: "the shared backend (s3) and the cluster of KUBECONFIG" });
    assert.ok(text.startsWith(`${marker("dev")}\n`));
    assert.match(text, /^Against the shared backend \\\(s3\\\) and the cluster of KUBECONFIG\.$/m);
  });

  it("names broken rules first, once, though the program's own gate repeats them", () => {
    const finding = "[non-root] Deployment dev-apps/web: spec is not set → set it";
    const events = [
      rule(`${finding}\n`, "mandatory"),
      rule("[limits] later", "advisory"),
      said("error", `${finding}\n`),
      said("error", "preview failed\n"),
    ];
    const text = report(events, { succeeded: false });
    assert.match(text, /: refused by the rules$/m);
    assert.equal(text.split("non-root").length - 1, 1);
    assert.ok(text.indexOf("Rules broken") < text.indexOf("Rules that only warn"));
    assert.ok(!text.includes("**Errors**"));
  });

  it("shows errors with the object they belong to, without colours", () => {
    const events = [said("error", "<{%reset%}>it \x1b[31mbroke\x1b[0m\n", { urn: urn("web") })];
    assert.match(report(events, { succeeded: false }), /```text\nweb: it broke\n```/);
  });

  it("finds words for a failure that names no error", () => {
    const events = [said("info#err", "Error: no such module\n"), said("error", "preview failed\n")];
    assert.match(report(events, { succeeded: false }), /Error: no such module/);
    assert.match(report([], { succeeded: false }), /Pulumi gave no reason/);
    assert.match(report([], { succeeded: false, failure: "no cluster" }), /no cluster/);
  });

  it("reads the log of an engine that was killed while it wrote", () => {
    assert.match(report([step("create", "a"), '{"resourcePreEvent":{"meta']), /1 to create/);
  });

  it("shows names of properties, never their values", () => {
    const secret = { new: { custom: true, inputs: { password: "hush" } }, diffs: ["password"] };
    const text = report([step("update", "a", secret)]);
    assert.match(text, /password/);
    assert.ok(!text.includes("hush"));
  });

  it("no name or message can act as markup, call a person or end a block early", () => {
    const hostile = fc.string({ unit: fc.constantFrom("`", "<", "@", "|", "[", "]", "(", ")", "*", "\n", "a", "\\") });
    fc.assert(
      fc.property(hostile, (text) => {
        const events = [step("create", text), rule(text, "mandatory"), said("error", `x${text}`)];
        const lines = report(events, { succeeded: false }).split("\n");
        const fences = lines.flatMap((line, index) => (/^`{3,}/.test(line) ? [{ line, index }] : []));
        const [open, close] = [fences[0], fences.at(-1)];
        assert.ok(open && close && open !== close);
        const width = close.line.length;
        assert.ok(lines.slice(open.index + 1, close.index).every((line) => !line.includes("`".repeat(width))));
        const outside = lines.filter((_, index) => index < open.index || index > close.index);
        const markup = outside.filter((line) => line.startsWith("| create") || line.startsWith("- "));
        for (const line of markup) {
          assert.ok(!/(^|[^\\])(\\\\)*[`[\]()]/.test(line), line);
          assert.ok(!/@(?!\u200b)/.test(line), line);
          assert.ok(!/<(?!br>)/.test(line), line);
        }
      }),
    );
  });

  it("fits into a comment whatever the size", () => {
    const events = Array.from({ length: 3000 }, (_, index) => step("create", `${"x".repeat(60)}-${index}`));
    const text = report([...events, said("warning", "w".repeat(100_000))]);
    assert.ok(text.length < 65_536);
    assert.match(text, /cut off here/);
    assert.match(report(events), /… and 2800 more\./);
  });
});
