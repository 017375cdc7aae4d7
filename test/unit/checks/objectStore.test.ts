import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "../../../checks/check";
import { objectStoreChecks } from "../../../checks/objectStore";
import { runChecks } from "../../../checks/runner";
import { ObjectStorePod } from "../components/objectStorePod";
import { until } from "../components/redisPods";
import { type Answers, FakeStand, outputsOf } from "./fakeStand";

const BUCKET = { name: "files", access: "read", load: ["load"] } as const;
const APPS = {
  web: { source: "apps/web", port: 3000, bucket: BUCKET },
  shop: { source: "apps/shop", port: 3000, bucket: true },
};
const STORE = { "platform:objectStore": { mode: "standalone" }, "platform:apps": APPS };
const OUTPUTS: Answers = [["stack output", outputsOf()]];

const pod = (name: string, ordinal: number | string): object => ({
  metadata: {
    name: `${name}-${ordinal}`,
    namespace: "dev-data",
    labels: { "app.kubernetes.io/name": name, "app.kubernetes.io/component": "object-store" },
  },
  spec: { containers: [] },
  status: { phase: "Running", podIP: "10.1.0.9", conditions: [{ type: "Ready", status: "True" }] },
});
const pods = (servers: number, keepers = 1): Answers => {
  const all = [
    ...Array.from({ length: servers }, (_, ordinal) => pod("object-store", ordinal)),
    ...Array.from({ length: keepers }, () => pod("object-store-keeper", "x")),
  ];
  return [["get pods -n dev-data", JSON.stringify({ items: all })]];
};

/** As the script in the keeper would say it. */
const says = (...answers: string[]): Answers => [["object-store-keeper-x -c keeper", JSON.stringify(answers)]];
const WEB = ["NoSuchKey", ...Array.from({ length: 8 }, () => "AccessDenied")];
const SHOP = ["NoSuchKey", ...Array.from({ length: 5 }, () => "AccessDenied")];
const REFUSED = ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "HTTP/1.0 400 Bad Request"];

const CASES: [title: string, well: Answers, ill: [Answers, RegExp][]][] = [
  [
    "the object store has its servers",
    [...says("200", "200"), ...pods(1)],
    [
      [[...says("200", "404"), ...pods(1)], /^no bucket shop$/],
      [[...says("200", "200"), ...pods(2)], /^2 servers are ready, of 1$/],
      [pods(0), /found no server of the object store/],
      [pods(1, 0), /found no server of the object store's keeper/],
    ],
  ],
  [
    "each key of the object store",
    [...says(...WEB, ...SHOP), ...pods(1)],
    [
      [
        [...says("AccessDenied", ...WEB.slice(1), ...SHOP), ...pods(1)],
        /^app-web GET \/files\/\S+: AccessDenied, not NoSuchKey$/,
      ],
      [
        [...says(...WEB.slice(0, 1), "200", ...WEB.slice(2), ...SHOP), ...pods(1)],
        /^app-web PUT \/files\/\S+: 200, not AccessDenied$/,
      ],
      [
        [...says(...WEB, ...SHOP.slice(0, 1), "NoSuchKey", ...SHOP.slice(2)), ...pods(1)],
        /^app-shop GET \/files\/\S+: NoSuchKey, not/,
      ],
      [[...says(...WEB), ...pods(1)], /^app-shop GET \/shop\/\S+: nothing, not NoSuchKey/],
    ],
  ],
  [
    "no server of the object store",
    [...says(...REFUSED), ...pods(1)],
    [
      [
        [...says("HTTP/1.1 403 Forbidden", "closed"), ...pods(1)],
        /does not refuse a client without a certificate: HTTP\/1\.1 403/,
      ],
      [[...says("ECONNREFUSED", "closed"), ...pods(1)], /does not refuse a client without a certificate: ECONNREFUSED/],
      [[...says(REFUSED[0] ?? "", "HTTP/1.1 200 OK"), ...pods(1)], /answers a client in the open: HTTP\/1\.1 200/],
      [[...says(...REFUSED), ...pods(2)], /object-store-1 does not refuse/],
    ],
  ],
];

async function look(title: string, answers: Answers, config: object = STORE): Promise<Outcome> {
  const check = objectStoreChecks.find((each) => each.title.startsWith(title));
  assert.ok(check, title);
  const stand = FakeStand.make([...answers, ...OUTPUTS], config);
  try {
    return (await runChecks([check], stand, { atOnce: 1 }))[0] as Outcome;
  } finally {
    stand.remove();
  }
}

describe("the checks of the object store", () => {
  for (const [title, well, ill] of CASES)
    it(`${title} …: passes and fails`, async () => {
      const passed = await look(title, well);
      assert.equal(passed.status, "pass", passed.detail);
      for (const [answers, reason] of ill) {
        const failed = await look(title, answers);
        assert.equal(failed.status, "fail", String(reason));
        assert.match(failed.detail, reason);
      }
    });

  it("look at none where the stack has none, and at no keys where nobody has one", async () => {
    for (const [title] of CASES) assert.equal((await look(title, pods(1), {})).status, "skip", title);
    const empty = { "platform:objectStore": { mode: "standalone" } };
    assert.equal((await look("each key", pods(1), empty)).status, "skip");
  });
});

/** Its keeper answers what the checks ask there. */
function standBy(store: ObjectStorePod): FakeStand {
  const stand = FakeStand.make([...pods(1), ...OUTPUTS], STORE);
  const answered = stand.tryKubectl.bind(stand);
  stand.tryKubectl = (args, options) => {
    if (!args.includes("exec")) return answered(args, options);
    const [program = "", ...rest] = args.slice(args.indexOf("--") + 1);
    assert.equal(program, "node");
    const place = `"127.0.0.1","port":${store.ports.clients}`;
    const asked = (rest.at(-1) ?? "").replaceAll('"10.1.0.9","port":9000', place);
    const env = { PATH: process.env.PATH, KEEPER_SETTINGS: store.at("keeper.json") };
    const out = execFileSync(process.execPath, [...rest.slice(0, -1), asked], { env, encoding: "utf8" });
    return Promise.resolve({ code: 0, out, err: "", all: out });
  };
  return stand;
}

describe("the checks of the object store by a real one", function () {
  this.timeout(60_000);
  let store: ObjectStorePod;
  before(async function () {
    const made = await ObjectStorePod.make();
    if (!made) return this.skip();
    store = made;
    store.start();
    await until(
      "it serves",
      async () => (await store.inside("/minio/health/cluster/read").catch(() => undefined))?.status === 200,
      30_000,
    );
    await store.keep({ web: BUCKET, shop: { name: "shop", access: "write" } });
    await until("all is as declared", store.isKept, 30_000);
    cpSync(join(__dirname, "../../../components/objectStore/requests.mjs"), store.at("requests.mjs"));
  });
  after(() => store?.end());

  it("pass", async () => {
    const stand = standBy(store);
    const outcomes = await runChecks(objectStoreChecks, stand, { atOnce: 1 });
    stand.remove();
    assert.deepEqual(
      outcomes.filter(({ status }) => status !== "pass"),
      [],
    );
  });
});
