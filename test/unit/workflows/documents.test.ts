import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

const ROOT = path.resolve(__dirname, "..", "..", "..");
const STACKS = ["dev", "qa", "prod"];

/** What a reader meets: the pages at the top and in docs/. */
const PAGES = [
  "README.md",
  "CHANGELOG.md",
  ...fs
    .readdirSync(path.join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => path.join("docs", file)),
];

const read = (page: string): string => fs.readFileSync(path.join(ROOT, page), "utf8");
const scripts = (JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts;

/** Commands in blocks that are for a shell, and in running text. */
function commands(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:sh|bash|console)\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
    block.split("\n"),
  );
  const prose = text.replace(/^```[\s\S]*?^```$/gm, "");
  const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  return [...blocks, ...inline].map((line) => line.trim()).filter(Boolean);
}

const helps = new Map<string, string>();
function helpOf(command: string): string {
  const known = helps.get(command);
  if (known !== undefined) return known;
  const file = /run\.mjs (\w+)/.exec(scripts[command] ?? "")?.[1] ?? command;
  const args = ["--require", "tsx/cjs", path.join("commands", `${file}.ts`), "--help"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  assert.equal(status, 0, `npm run ${command} -- --help: ${stderr}`);
  helps.set(command, stdout);
  return stdout;
}

interface Call {
  readonly script: string;
  readonly args: readonly string[];
}

/** `npm run [-s] NAME [-- ARGS]` and `npm test`, wherever in the line they stand. */
function npmCalls(line: string): Call[] {
  const runs = [...line.matchAll(/npm run (?:-s )?([\w:-]+)(?: -- ([^)"|&;]*))?/g)];
  const tests = /\bnpm test\b/.test(line) ? [{ script: "test", args: [] }] : [];
  return [...tests, ...runs.map(([, script = "", args = ""]) => ({ script, args: args.split(/\s+/).filter(Boolean) }))];
}

/** What is wrong with a line, as a reader would find out by typing it. */
function faults(line: string): string[] {
  return npmCalls(line).flatMap(({ script, args }) => {
    if (!(script in scripts)) return [`package.json has no script "${script}"`];
    if (args.length === 0) return [];
    const help = helpOf(script);
    const words = help.split(/[\s|[\],]+/);
    const flags = args.filter((arg) => arg.startsWith("-") && arg !== "--help");
    const [verb] = args.filter((arg) => !arg.startsWith("-"));
    const takesVerb = ["sandbox", "toolchain"].includes(script);
    return [
      ...flags.filter((flag) => !words.includes(flag.split("=")[0] ?? "")).map((flag) => `${script} knows no ${flag}`),
      ...(takesVerb && verb && !words.includes(verb) ? [`${script} knows no ${verb}`] : []),
    ];
  });
}

/** Every variable of ours that the code reads. */
function variables(): Set<string> {
  const folders = ["checks", "commands", "components", "sandbox", "toolchain", "test"];
  const files = folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => path.join(folder, file)),
  );
  const workflow = read(".github/workflows/preview.yml");
  return new Set([...files.map(read), workflow].flatMap((text) => text.match(/\bPLATFORM_[A-Z_]+\b/g) ?? []));
}

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replace(/ /g, "-");

describe("the documents", function () {
  this.timeout(60_000);

  it("the check itself finds what does not exist", () => {
    assert.deepEqual(faults("npm run up -- --stack dev"), []);
    assert.deepEqual(faults('eval "$(npm run -s env)"'), []);
    assert.deepEqual(faults("npm run upp"), ['package.json has no script "upp"']);
    assert.deepEqual(faults("npm run down -- --everything"), ["down knows no --everything"]);
    assert.deepEqual(faults("npm run sandbox -- launch --name x"), ["sandbox knows no launch"]);
    assert.deepEqual(commands("`a`\n```sh\nb\n```\n```text\nc\n```\n"), ["b", "a"]);
  });

  for (const page of PAGES) {
    describe(page, () => {
      const text = read(page);

      it("names only commands and flags that exist", () => {
        assert.deepEqual(commands(text).flatMap(faults), []);
      });

      it("names only stacks that exist", () => {
        const named = commands(text).flatMap((line) =>
          [...line.matchAll(/(?:pulumi [^|]*? -s|--stack) (\w+)/g)].map(([, name]) => name),
        );
        for (const name of named.filter((each) => each !== "NAME")) assert.ok(STACKS.includes(name ?? ""), name);
      });

      it("names only variables that something reads", () => {
        const known = variables();
        for (const name of text.match(/\bPLATFORM_[A-Z_]+\b/g) ?? []) assert.ok(known.has(name), name);
      });

      it("names only files that exist, or that its own commands make", () => {
        const made = [...text.matchAll(/^npm run app -- new (\S+)$/gm)].map(([, name = ""]) => `apps/${name}`);
        const folders = "checks|components|policy|sandbox|toolchain|commands|apps|docs|test|\\.github";
        const named = [...text.matchAll(new RegExp(`\`((?:${folders})/[\\w./-]*|[\\w.]+\\.(?:ts|yaml|json))\``, "g"))];
        for (const [, file = ""] of named)
          assert.ok(made.some((each) => file.startsWith(each)) || fs.existsSync(path.join(ROOT, file)), file);
      });

      it("links to files and headings that exist", () => {
        const links = [...text.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = ""]) => link);
        for (const link of links) {
          const [file = "", anchor] = link.split("#");
          const target = file ? path.join(path.dirname(page), file) : page;
          assert.ok(fs.existsSync(path.join(ROOT, target)), link);
          if (!anchor) continue;
          const anchors = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading));
          assert.ok(anchors.includes(anchor), link);
        }
      });
    });
  }

  it("every decision is in the list of decisions", () => {
    const list = read("docs/adr/README.md");
    for (const file of fs.readdirSync(path.join(ROOT, "docs", "adr")).filter((name) => /^\d{4}-/.test(name)))
      assert.ok(list.includes(`(${file})`), file);
  });
});
