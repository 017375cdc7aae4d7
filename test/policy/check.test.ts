import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { readDocuments } from "../../policy/documents";
import { carry, container, rooted, template } from "./manifests";

const ROOT = join(__dirname, "../..");
const read = (text: string | Buffer): ReturnType<typeof readDocuments> => readDocuments(Buffer.from(text));
const faults = (text: string | Buffer): string[] => read(text).unreadable.map(({ line, why }) => `${line}: ${why}`);

describe("documents of any making", () => {
  it("are counted without the empty ones, and each has its own place", () => {
    const { documents } = read("---\n# nothing\n---\nkind: A\n---\n---\nkind: B\n...\n---\nnull\n---\nkind: C\n");
    assert.deepEqual(
      documents.map(({ index, manifest }) => `${index} ${String(manifest.kind)}`),
      ["0 A", "1 B", "2 C"],
    );
  });

  it("may be JSON, with a mark of its encoding in front, and use what YAML has for brevity", () => {
    assert.equal(read('\uFEFF{"kind": "A"}').documents.length, 1);
    const [document] = read("kind: A\nmetadata: &m {name: x}\nspec: {template: {metadata: {<<: *m}}}\n").documents;
    assert.deepEqual(document?.manifest.spec, { template: { metadata: { name: "x" } } });
    assert.equal(read("").documents.length, 0);
  });

  for (const [what, text, expected] of [
    ["broken YAML", "kind: A\nmetadata:\n  name: [a\nspec: {}\n", /^\d+: .*flow/i],
    ["a key twice", "kind: A\nkind: B\n", /^2: Map keys must be unique/],
    ["a tab", "kind: A\nmetadata:\n\tname: a\n", /^3: /],
    ["an open template", "kind: {{ .Values.kind }}\n", /^1: /],
    ["a list", "- a\n", /^1: is a list/],
    ["a text", "kind: A\n---\nhello\n", /^3: is string/],
    ["a kind that is none", "kind: [A]\n", /^1: has a list as its kind/],
    ["a version that is none", "kind: A\napiVersion: 1\n", /^1: has number as its apiVersion/],
    ["an alias to nothing", "kind: A\nspec: *a\n", /^\d+: .*alias/i],
    ["a bomb of aliases", bomb(), /^1: .*alias/i],
    ["deep nesting", "[".repeat(100_000), /^1: is nested too deeply/],
    ["deep nesting in blocks", deep(), /nested too deeply/],
    ["deep nesting of lists in one line", `a: \n${"- ".repeat(100_000)}`, /^2: is nested too deeply/],
    [
      "deep nesting in JSON",
      `{"kind": "List", "items": ${"[".repeat(5000)}${"]".repeat(5000)}}`,
      /^1: is nested too deeply/,
    ],
    ["binary", Buffer.from([0x6b, 0x0a, 0x00, 0xff]), /^2: is not text/],
    ["another encoding", Buffer.from([0xff, 0xfe, 0x6b]), /^1: is not text/],
  ] as [string, string | Buffer, RegExp][]) {
    it(`are refused with the line: ${what}`, () => {
      const said = faults(text);
      assert.match(said[0] ?? "", expected);
      assert.ok(said.every((each) => !each.includes("\n")));
    });
  }

  it("keep those that can be read", () => {
    const { documents, unreadable, foreign } = read("kind: A\n---\nhello\n---\nvalues: 1\n");
    assert.deepEqual([documents.length, unreadable.length, foreign.length], [1, 1, 1]);
  });
});

function bomb(): string {
  const names = [..."abcdefgh"];
  const lines = names.map(
    (name, at) =>
      `${name}: &${name} [${Array(10)
        .fill(at ? `*${names[at - 1]}` : "x")
        .join()}]`,
  );
  return `kind: A\n${lines.join("\n")}\n`;
}

function deep(): string {
  return Array.from({ length: 5000 }, (_, at) => `${" ".repeat(at)}a:`).join("\n");
}

describe("npm run policy:check", function () {
  this.timeout(120_000);
  let place: string;
  before(() => (place = mkdtempSync(join(tmpdir(), "policy-check-"))));
  after(() => rmSync(place, { recursive: true, force: true }));

  interface Ran {
    readonly code: number | null;
    readonly out: string;
    readonly err: string;
  }

  function run(...args: string[]): Ran {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--require", "tsx/cjs", "commands/policyCheck.ts", ...args],
      { cwd: ROOT, encoding: "utf8", env: { ...process.env, INIT_CWD: place }, maxBuffer: 1e9 },
    );
    return { code: status, out: stdout, err: stderr };
  }

  function write(file: string, ...manifests: object[]): string {
    writeFileSync(join(place, file), manifests.map((each) => stringify(each)).join("---\n"));
    return file;
  }

  const sound = carry("Deployment", template([container()])).manifest;
  const broken = carry("Deployment", template([rooted()])).manifest;
  const rows = (ran: Ran): Record<string, unknown>[] => JSON.parse(ran.out) as Record<string, unknown>[];

  it("passes the example of the manual", () => {
    const { code, out, err } = run(join(ROOT, "docs/examples/policy"));
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /15 objects: 0 violations, 0 warnings/);
  });

  it("gives an array that machines read, and exit code 1 for what is mandatory", () => {
    const ran = run(write("broken.yaml", sound, broken), "--json", "--partial");
    assert.equal(ran.code, 1);
    const [row, ...more] = rows(ran);
    assert.deepEqual(Object.keys(row ?? {}), [
      "file",
      "index",
      "kind",
      "name",
      "namespace",
      "rule",
      "controls",
      "level",
      "path",
      "message",
    ]);
    assert.deepEqual(
      [row?.file, row?.index, row?.kind, row?.name, row?.namespace, row?.rule, row?.level, more.length],
      ["broken.yaml", 1, "Deployment", "web", "dev-apps", "non-root", "mandatory", 0],
    );
    assert.ok((row?.controls as string[]).includes("psa:runAsNonRoot"));
    assert.deepEqual(rows(run(write("sound.yaml", sound), "--json")), []);
  });

  it("takes several objects to be complete, and one not", () => {
    const rules = (...args: string[]): unknown[] => [...new Set(rows(run(...args, "--json")).map(({ rule }) => rule))];
    write("one.yaml", sound);
    write("two.yaml", { apiVersion: "v1", kind: "List", items: [sound, { apiVersion: "v1", kind: "Service" }] });
    assert.deepEqual(rules("one.yaml"), []);
    assert.deepEqual(rules("one.yaml", "--complete"), ["network-policy", "default-deny"]);
    assert.deepEqual(rules("two.yaml"), ["network-policy", "default-deny"]);
    assert.deepEqual(rules("two.yaml", "--partial"), []);
  });

  it("leaves out what is not Kubernetes' in a folder, and refuses it where it is named", () => {
    mkdirSync(join(place, "chart/node_modules"), { recursive: true });
    write("chart/one.yaml", sound);
    write("chart/values.yaml", { replicas: 2 });
    writeFileSync(join(place, "chart/node_modules/a.yaml"), ": : :");
    writeFileSync(join(place, "chart/notes.txt"), ": : :");
    const { code, err } = run("chart");
    assert.deepEqual([code, err.trim()], [0, "left out: chart/values.yaml holds no Kubernetes objects"]);
    assert.equal(run("chart/values.yaml").code, 2);
  });

  it("judges the rest where something cannot be read", () => {
    writeFileSync(join(place, "bad.yaml"), "kind: [\n");
    const ran = run("bad.yaml", write("broken.yaml", broken), "nowhere.yaml", "--json");
    assert.equal(ran.code, 2);
    assert.equal(rows(ran).length, 1);
    assert.match(ran.err, /^unreadable: bad\.yaml:\d+: /m);
    assert.match(ran.err, /^unreadable: nowhere\.yaml:1: ENOENT/m);
    assert.doesNotMatch(ran.err, /^\s+at /m);
  });

  it("takes levels, options and exemptions from a file", () => {
    const exemption = {
      rule: "non-root",
      target: { namespace: "dev-*" },
      reason: "a test",
      owner: "tests",
      until: new Date(Date.now() + 864e5).toISOString().slice(0, 10),
    };
    const config = (content: object): string => {
      writeFileSync(join(place, "own.json"), JSON.stringify(content));
      return "own.json";
    };
    write("broken.yaml", broken);
    const waived = run(
      "broken.yaml",
      "--config",
      config({ exemptions: [exemption, { ...exemption, rule: "limits" }] }),
    );
    assert.equal(waived.code, 0);
    assert.match(waived.err, /^broken\.yaml: waived until .* by tests \(a test\): \[non-root\]/m);
    assert.match(waived.err, /^not used: the exemption of namespace dev-\* from limits/m);
    const levels = { objects: { levels: { "non-root": "advisory" } } };
    assert.equal(run("broken.yaml", "--config", config(levels)).code, 0);
    assert.equal(
      run("broken.yaml", "--config", config({ objects: { options: { podSecurity: { level: "baseline" } } } })).code,
      0,
    );
    for (const until of [undefined, "2999-01-01"]) {
      const ran = run("broken.yaml", "--json", "--config", config({ exemptions: [{ ...exemption, until }] }));
      assert.equal(ran.code, 1);
      assert.deepEqual(
        rows(ran).map(({ file, kind, name, rule, path }) => [file, kind, name, rule, path]),
        [
          ["own.json", "Exemption", "non-root", "exemption", "exemptions[0].until"],
          [
            "broken.yaml",
            "Deployment",
            "web",
            "non-root",
            "spec.template.spec.containers[0].securityContext.runAsNonRoot",
          ],
        ],
      );
    }
    for (const [content, expected] of [
      [{ objects: { options: { podSecurity: { version: "1.12" } } } }, /version: found "1\.12", allowed is "latest"/],
      [{ object: {} }, /found "object", allowed is objects, stack, exemptions/],
    ] as const) {
      const refused = run("broken.yaml", "--config", config(content));
      assert.equal(refused.code, 2);
      assert.match(refused.err, expected);
    }
    assert.equal(run("broken.yaml", "--config", "nowhere.json").code, 2);
  });

  it("says how it is called", () => {
    assert.equal(run().code, 2);
    assert.equal(run("a.yaml", "--complete", "--partial").code, 2);
    assert.equal(run("--no-such-flag").code, 2);
    assert.match(run("--help").out, /policy:check/);
  });

  it("answers on 10 MB, and on types that are all wrong", () => {
    const one = stringify(broken);
    writeFileSync(join(place, "long.yaml"), `---\n${one}`.repeat(Math.ceil(1e7 / one.length)));
    const { code, out } = run("long.yaml");
    assert.equal(code, 1);
    assert.match(out, /objects: \d+ violations/);
    write("odd.yaml", { apiVersion: "v1", kind: "Pod", metadata: 5, spec: { containers: "web", volumes: {} } });
    const odd = run("odd.yaml");
    assert.deepEqual([odd.code, odd.err], [1, ""]);
    assert.match(odd.out, /\[form\] Pod .*: spec\.containers is "web"/);
  });
});
