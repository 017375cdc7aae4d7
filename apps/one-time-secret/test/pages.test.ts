import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, it } from "node:test";

const PUBLIC = join(__dirname, "../public");
const source = (file: string): string => readFileSync(join(PUBLIC, file), "utf8");
const all = (pattern: RegExp, text: string): string[] => [...text.matchAll(pattern)].map(([, found = ""]) => found);

const pages = readdirSync(PUBLIC).filter((file) => file.endsWith(".html"));
const scripts: Record<string, string[]> = {
  "index.html": ["create.mjs", "page.mjs"],
  "read.html": ["read.mjs", "page.mjs"],
  "not-found.html": [],
};

describe("each page", () => {
  for (const file of pages) {
    const page = source(file);

    it(`${file} has nothing inline, which its policy would stop, and nothing from elsewhere`, () => {
      assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=|javascript:|https?:/);
      for (const [tag] of page.matchAll(/<script[^>]*>/g)) assert.match(tag, / src="\/assets\//);
      for (const asset of all(/(?:src|href)="\/assets\/([^"]+)"/g, page)) source(asset);
    });

    it(`${file} names every field, and says what it is in`, () => {
      assert.match(page, /<html lang="en">/);
      assert.match(page, /<meta name="viewport" content="width=device-width, initial-scale=1" \/>/);
      const labels = all(/<label for="([^"]+)"/g, page);
      const fields = [...page.matchAll(/<(?:input|textarea|select)[^>]*?\sid="([^"]+)"/g)].map(([, id]) => id);
      assert.deepEqual(labels, fields);
      const ids = all(/\sid="([^"]+)"/g, page);
      assert.equal(new Set(ids).size, ids.length, "ids are unique");
      for (const id of all(/aria-describedby="([^"]+)"/g, page).flatMap((list) => list.split(" ")))
        assert.ok(ids.includes(id), id);
    });

    it(`${file} has all that its scripts look for`, () => {
      const ids = all(/\sid="([^"]+)"/g, page);
      for (const script of scripts[file] ?? [])
        for (const id of all(/element\("([^"]+)"\)/g, source(script)))
          assert.ok(ids.includes(id), `${id} of ${script}`);
    });
  }

  it("is dark where the reader's system is, in every colour", () => {
    const css = source("app.css");
    const [light = [], dark = []] = all(/:root \{([^}]*)\}/g, css).map((block) => all(/(--[\w-]+):/g, block));
    assert.deepEqual(dark, light);
    assert.equal(
      all(/(#[0-9a-f]{3,8})\b/g, css.slice(css.lastIndexOf(":root"))).length,
      dark.length,
      "no colour beside",
    );
  });

  it("can be read: text and background differ enough in both", () => {
    for (const block of all(/:root \{([^}]*)\}/g, source("app.css"))) {
      const colour = (name: string): string => new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(block)?.[1] ?? "";
      const pairs = [
        ["text", "page"],
        ["text", "card"],
        ["soft", "card"],
        ["fault", "card"],
        ["accent", "card"],
        ["on-accent", "accent"],
      ] as const;
      for (const [front, back] of pairs) assert.ok(contrast(colour(front), colour(back)) >= 4.5, `${front} on ${back}`);
      assert.ok(contrast(colour("line"), colour("card")) >= 3, "a field's border");
    }
  });
});

/** As the Web Content Accessibility Guidelines define it. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [r = 0, g = 0, b = 0] = all(/([0-9a-f]{2})/g, colour).map((hex) => {
      const part = parseInt(hex, 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

interface Answer {
  status: number;
  body: { secret?: string; error?: { message: string } };
}

interface Api {
  ask(method: string, path: string, fields?: object, options?: object): Promise<Answer>;
  explanation(answer: Answer): string;
  randomToken(): string;
  partsOf(place: { pathname: string; hash: string }): { id: string; key: string } | undefined;
}

describe("the pages' way to the service", async () => {
  const { ask, explanation, partsOf, randomToken } = (await import(pathToFileURL(join(PUBLIC, "api.mjs")).href)) as Api;
  const { fetch: original } = globalThis;
  afterEach(() => void (globalThis.fetch = original));

  /** Answers one after the other: a status, or no connection. */
  function answering(...statuses: (number | "none")[]): string[] {
    const bodies: string[] = [];
    globalThis.fetch = (_, init): Promise<Response> => {
      bodies.push(String(init?.body));
      const status = statuses.shift();
      if (status === undefined || status === "none") return Promise.reject(new TypeError("fetch failed"));
      const text = status === 502 ? "<html>" : JSON.stringify({ secret: "hush" });
      return Promise.resolve(new Response(text, { status }));
    };
    return bodies;
  }

  it("asks again, with the same, until there is an answer", async () => {
    const bodies = answering(503, "none", 502, 200);
    const pauses: number[] = [];
    let said = 0;
    const pause = (ms: number): Promise<void> => Promise.resolve(void pauses.push(ms));
    const answer = await ask("POST", "/x", { reader: "me" }, { pause, waiting: () => said++ });
    assert.deepEqual(answer, { status: 200, body: { secret: "hush" } });
    assert.deepEqual(new Set(bodies), new Set(['{"reader":"me"}']));
    assert.deepEqual(pauses, [1000, 2000, 3000]);
    assert.equal(said, 3);
  });

  it("takes a refusal for an answer", async () => {
    const bodies = answering(410, 200);
    assert.equal((await ask("POST", "/x", {})).status, 410);
    assert.equal(bodies.length, 1);
  });

  it("gives up after half a minute, and explains", async () => {
    answering();
    let waited = 0;
    const pause = (ms: number): Promise<void> => Promise.resolve(void (waited += ms));
    const answer = await ask("GET", "/x", undefined, { pause });
    assert.equal(answer.status, 0);
    assert.ok(waited >= 25_000 && waited <= 40_000, `${waited} ms`);
    assert.match(explanation(answer), /cannot be reached/);
    assert.equal(explanation({ status: 410, body: { error: { message: "Gone." } } }), "Gone.");
  });

  it("takes a link apart, and notices what is missing", () => {
    const [id, key] = ["i".repeat(22), "k".repeat(43)];
    assert.deepEqual(partsOf({ pathname: `/s/${id}`, hash: `#${key}` }), { id, key });
    for (const [pathname, hash] of [
      [`/s/${id}`, ""],
      [`/s/${id}`, `#${key.slice(1)}`],
      [`/s/${id}`, `#${key}.`],
      ["/s/short", `#${key}`],
    ] as const)
      assert.equal(partsOf({ pathname, hash }), undefined);
  });

  it("makes readers that the service takes, no two alike", () => {
    const tokens = Array.from({ length: 100 }, () => randomToken());
    for (const token of tokens) assert.match(token, /^[\w-]{16,64}$/);
    assert.equal(new Set(tokens).size, 100);
  });
});
