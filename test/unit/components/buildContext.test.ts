import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { argumentsOf, contextFiles, hashContext, ignoring } from "../../../components/lib/buildContext";

describe("the lines of .dockerignore", () => {
  const cases: [string, { ignores?: string[]; keeps?: string[] }][] = [
    [
      "node_modules",
      { ignores: ["node_modules", "node_modules/a/b.js"], keeps: ["src/node_modules", "node_modules2"] },
    ],
    ["/dist/", { ignores: ["dist", "dist/a"], keeps: ["src/dist"] }],
    ["*.log", { ignores: ["a.log", ".log"], keeps: ["src/a.log", "a.log.txt", "alog"] }],
    ["**/*.log", { ignores: ["a.log", "src/a.log", "src/deep/a.log"], keeps: ["a.txt"] }],
    ["**/node_modules", { ignores: ["node_modules/x", "a/b/node_modules/x"], keeps: ["a/not_node_modules"] }],
    ["src/**/test", { ignores: ["src/test", "src/a/test/x", "src/a/b/test"], keeps: ["test", "src/tests"] }],
    ["docs/**", { ignores: ["docs/a", "docs/a/b"], keeps: ["docs2/a"] }],
    ["file?.txt", { ignores: ["file1.txt"], keeps: ["file.txt", "file10.txt", "file/.txt"] }],
    ["a.b+(c)", { ignores: ["a.b+(c)"], keeps: ["aXb+(c)", "a.bbc"] }],
    ["*\n!keep", { ignores: ["a", "b/c"], keeps: ["keep", "keep/all/of/it"] }],
    ["docs\n!docs/README.md", { ignores: ["docs/a.md", "docs/sub/README.md"], keeps: ["docs/README.md"] }],
    ["*.md\n!README*.md\nREADME-secret.md", { ignores: ["a.md", "README-secret.md"], keeps: ["README.md"] }],
    ["!a\na", { ignores: ["a"] }],
    ["# a\n\n   b  \r\nc\r", { ignores: ["b", "c"], keeps: ["a", "# a"] }],
    ["", { keeps: ["a", ".hidden"] }],
  ];
  for (const [text, { ignores = [], keeps = [] }] of cases) {
    it(JSON.stringify(text), () => {
      const ignored = ignoring(text);
      for (const path of ignores) assert.equal(ignored(path), true, `${path} is to be ignored`);
      for (const path of keeps) assert.equal(ignored(path), false, `${path} is to be kept`);
    });
  }

  it("ignore what is below an ignored folder", () => {
    const part = fc.stringMatching(/^[a-z.+()$^-]{1,8}$/).filter((text) => !text.startsWith("."));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), fc.array(part, { maxLength: 3 }), (folder, below) => {
        assert.equal(ignoring(folder.join("/"))([...folder, ...below].join("/")), true);
      }),
    );
  });
});

describe("a build context", () => {
  let context: string;
  const write = (file: string, text = ""): void => {
    mkdirSync(dirname(join(context, file)), { recursive: true });
    writeFileSync(join(context, file), text);
  };
  const hash = (args: Record<string, string> = {}): string => hashContext(context, args);
  const changes = (change: () => void): boolean => {
    const before = hash();
    change();
    return hash() !== before;
  };

  beforeEach(() => {
    context = mkdtempSync(join(tmpdir(), "context-"));
    write("Dockerfile", "FROM scratch\n");
    write(".dockerignore", "node_modules\n*.log\nsecret\n!secret/public\n");
    write("src/index.ts", "one\ntwo\n");
    write("node_modules/left/index.js", "left");
    write("debug.log", "noise");
    write("secret/key", "private");
    write("secret/public/key", "known");
  });
  afterEach(() => rmSync(context, { recursive: true, force: true }));

  it("has the files that the build can see, in one order", () => {
    assert.deepEqual(contextFiles(context), [".dockerignore", "Dockerfile", "secret/public/key", "src/index.ts"]);
  });

  it("has of the known arguments those that its Dockerfile asks for", () => {
    write("Dockerfile", "# ARG OTHER\nARG NODE_IMAGE=node:22\narg UNKNOWN\nFROM ${NODE_IMAGE}\n");
    assert.deepEqual(argumentsOf(context, { NODE_IMAGE: "a", OTHER: "b" }), { NODE_IMAGE: "a" });
    write("Dockerfile", "FROM scratch\n");
    assert.deepEqual(argumentsOf(context, { NODE_IMAGE: "a", OTHER: "b" }), {});
  });

  it("without .dockerignore has all of them", () => {
    unlinkSync(join(context, ".dockerignore"));
    assert.equal(contextFiles(context).length, 6);
  });

  it("has the Dockerfile even where it is ignored, for the build reads it all the same", () => {
    write(".dockerignore", "Dockerfile\n");
    assert.ok(contextFiles(context).includes("Dockerfile"));
    assert.ok(changes(() => write("Dockerfile", "FROM other\n")));
    write(".dockerignore", "*\n!src\n");
    assert.deepEqual(contextFiles(context), ["Dockerfile", "src/index.ts"]);
  });

  it("keeps its hash when ignored files change, come or go", () => {
    assert.equal(
      changes(() => write("debug.log", "more noise")),
      false,
    );
    assert.equal(
      changes(() => write("node_modules/new/index.js", "new")),
      false,
    );
    assert.equal(
      changes(() => rmSync(join(context, "secret/key"))),
      false,
    );
  });

  it("has another hash with one changed line", () => {
    assert.ok(changes(() => write("src/index.ts", "one\nthree\n")));
    assert.ok(changes(() => write("secret/public/key", "changed")));
  });

  it("has another hash when a file comes, goes or moves", () => {
    assert.ok(changes(() => write("src/new.ts")));
    assert.ok(changes(() => rmSync(join(context, "src/new.ts"))));
    const moved = changes(() => {
      rmSync(join(context, "src/index.ts"));
      write("src/main.ts", "one\ntwo\n");
    });
    assert.ok(moved);
  });

  it("has another hash when a file becomes executable, and not when it becomes writable", () => {
    const mode = (bits: number) => (): void => chmodSync(join(context, "src/index.ts"), bits);
    mode(0o644)();
    assert.ok(changes(mode(0o755)));
    assert.equal(changes(mode(0o775)), false);
  });

  it("tells a link by where it leads, also into nothing", () => {
    symlinkSync("nowhere", join(context, "link"));
    assert.ok(contextFiles(context).includes("link"));
    assert.ok(
      changes(() => {
        unlinkSync(join(context, "link"));
        symlinkSync("elsewhere", join(context, "link"));
      }),
    );
  });

  it("has another hash with other build arguments, in whatever order", () => {
    assert.notEqual(hash(), hash({ A: "1" }));
    assert.notEqual(hash({ A: "1" }), hash({ A: "2" }));
    assert.equal(hash({ A: "1", B: "2" }), hash({ B: "2", A: "1" }));
  });

  it("cannot be imitated by shifting text between a file's name, its content and the next file", () => {
    const files = fc.uniqueArray(
      fc.record({ name: fc.stringMatching(/^[a-c]{1,2}$/), text: fc.stringMatching(/^[a-c\0-]{0,4}$/) }),
      { maxLength: 3, selector: ({ name }) => name },
    );
    const hashOf = (contents: readonly { name: string; text: string }[]): string => {
      rmSync(context, { recursive: true, force: true });
      mkdirSync(context);
      for (const { name, text } of contents) write(name, text);
      return hash();
    };
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(files, (contents) => {
        const canonical = JSON.stringify([...contents].sort((one, other) => (one.name < other.name ? -1 : 1)));
        const found = hashOf(contents);
        assert.equal(seen.get(found) ?? canonical, canonical);
        seen.set(found, canonical);
      }),
    );
  });
});
