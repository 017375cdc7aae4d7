import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type EdgeClient, type Reply, edgeClient } from "./edgeClient";
import { broughtUp, eventually, kubectl } from "./world";

const STACK = "dev";
const DATA = `${STACK}-data`;
const NOTES = "/api/notes";
const PAUSE_MS = 100;

interface Note {
  readonly id: string;
  readonly text: string;
}

/** What the database has, asked as its superuser inside the pod. */
const inDatabase = async (statement: string): Promise<string> => {
  const psql = ["psql", "-XqAt", "-h", "/run/postgresql", "-U", "postgres", "-d", "notes", "-c", statement];
  return (await kubectl(["exec", "-n", DATA, "postgres-0", "-c", "postgres", "--", ...psql])).trim();
};

describe("three stages: a page, its API and Postgres, through the edge", function () {
  this.timeout(600_000);
  let client: EdgeClient;

  before(async () => {
    await broughtUp();
    client = await edgeClient(STACK, "notes-page");
    assert.equal((await edgeClient(STACK, "notes")).host, client.host, "one host for both");
  });

  const ask = (...question: Parameters<EdgeClient["ask"]>): Promise<Reply> => client.ask(...question);
  const add = (note: object): Promise<Reply> => ask("POST", NOTES, JSON.stringify(note));

  it("[001.1] shows the page of this stage", async () => {
    const { status, text } = await ask("GET", "/");
    assert.equal(status, 200, text);
    assert.match(text, new RegExp(`<h1>\\s*Notes of\\s+${STACK}\\s*</h1>`));
  });

  it("[001.2] describes its API, with all that the description needs", async () => {
    assert.equal((await ask("GET", "/docs")).status, 302);
    const page = await ask("GET", "/api/docs");
    assert.equal(page.status, 200);
    for (const [, file] of page.text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g))
      assert.equal((await ask("GET", `/api/${file}`)).status, 200, file);
    assert.match((await ask("GET", "/api/openapi.json")).text, /"\/api\/notes"/);
  });

  it("[001.3] keeps what was confirmed while the database's pod is deleted, once, and also when it is killed", async () => {
    const confirmed: string[] = [];
    let over = false;
    const writing = (async () => {
      while (!over) {
        const id = randomUUID();
        // As the page does: the same note again, until it is confirmed.
        while (!over) {
          const { status } = await add({ id, text: "while the pod goes" }).catch(() => ({ status: 0 }));
          if ([200, 201].includes(status)) {
            confirmed.push(id);
            break;
          }
          await sleep(PAUSE_MS);
        }
        await sleep(PAUSE_MS);
      }
    })();
    try {
      for (const how of [[], ["--force", "--grace-period=0"]]) {
        await kubectl(["delete", "pod", "postgres-0", "-n", DATA, ...how]);
        const before = confirmed.length;
        await eventually(() => Promise.resolve(assert.ok(confirmed.length > before + 3)), 120_000);
      }
    } finally {
      over = true;
      await writing;
    }
    const kept = await inDatabase("SELECT id FROM notes WHERE text = 'while the pod goes'");
    const rows = kept.split("\n");
    assert.deepEqual(
      confirmed.filter((id) => !rows.includes(id)),
      [],
    );
    assert.equal(new Set(rows).size, rows.length);
  });

  it("[001.3] shows through the API what is in the table", async () => {
    const text = `'; DROP TABLE notes; -- ${randomUUID()}`;
    const made = (await add({ text })).body as unknown as Note;
    assert.equal(await inDatabase(`SELECT text FROM notes WHERE id = '${made.id}'`), text);
    const { notes } = (await ask("GET", NOTES)).body as { notes: Note[] };
    assert.equal(notes[0]?.text, text);
  });

  it("shows of the backend's health to those outside only whether it is ready", async () => {
    assert.equal((await ask("GET", "/api/healthz")).status, 404);
    assert.equal((await ask("GET", "/api/readyz")).status, 200);
    for (const path of ["/healthz", "/readyz"]) assert.doesNotMatch((await ask("GET", path)).text, /postgres/, path);
  });

  const refusals: [string, () => Promise<Reply>, number][] = [
    ["malformed JSON", () => ask("POST", NOTES, "{"), 400],
    ["another kind of content", () => ask("POST", NOTES, "text=x", "text/plain"), 415],
    ["a missing field", () => add({}), 422],
    ["an unknown field", () => add({ text: "x", colour: "red" }), 422],
    ["too much", () => add({ text: "x".repeat(200_000) }), 413],
    ["another method", () => ask("DELETE", NOTES), 405],
    ["another method on the page", () => ask("POST", "/", "{}"), 405],
    ["an unknown path of the API", () => ask("GET", "/api/v2"), 404],
    ["an unknown page", () => ask("GET", "/apis"), 404],
    ["an unknown note", () => ask("GET", `${NOTES}/${randomUUID()}`), 404],
  ];
  for (const [title, request, status] of refusals)
    it(`refuses ${title} with ${status} and says why`, async () => {
      const reply = await request();
      assert.equal(reply.status, status, reply.text);
      assert.ok(reply.text.length > 10);
      assert.doesNotMatch(reply.text, /Traceback|site-packages|Apache\//);
    });
});
