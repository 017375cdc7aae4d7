import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { policyName } from "../../policy/admission/names";
import { admissionPolicies } from "../../policy/admission/policies";
import type { Exemption } from "../../policy/exemption";
import type { Judgement } from "../../policy/judge";
import type { Level } from "../../policy/rules/finding";
import { OBJECT_RULES } from "../../policy/rules/index";
import { at, groupOf, kindOf, type Manifest } from "../../policy/rules/manifest";
import { type Profile, VERSIONS } from "../../policy/rules/options";
import { BareServer, type Answer } from "./apiServer";
import { isReached, predicted } from "./admitted";
import { CASES } from "./cases";
import { fixtures, MODULE } from "./fixtures";
import { carry, container, JUDGEMENT, template } from "./manifests";

/** The policies as a real API server holds them. */

const HELD: Judgement = { ...JUDGEMENT, gate: "admission" };
const PLURALS: Readonly<Record<string, string>> = { Ingress: "ingresses" };
/** Nobody's rules hold here. */
const OUTSIDE = "outside";

const pathOf = (object: Manifest, namespace: string): string => {
  const group = groupOf(object) ?? "";
  const root = group === "" ? "/api/v1" : `/apis/${String(object.apiVersion)}`;
  return `${root}/namespaces/${namespace}/${PLURALS[kindOf(object)] ?? `${kindOf(object).toLowerCase()}s`}`;
};

const within = (object: Manifest, namespace: string): Manifest => ({
  ...object,
  metadata: { ...(object.metadata as object), namespace },
});

/** With what the API server asks of a kind besides, and no rule does. */
function whole(object: Manifest): Manifest {
  const spec = object.spec as Record<string, unknown> | undefined;
  const labels = at(spec, "template", "metadata", "labels");
  if (labels === undefined || kindOf(object) === "Job") return object;
  const selector = kindOf(object) === "ReplicationController" ? labels : { matchLabels: labels };
  return { ...object, spec: { selector, ...spec } };
}

/** Rule and place of each thing that a refusal names. */
const named = ({ body: { message = "" } }: Answer): string[] =>
  [...message.matchAll(/\[([a-z-]+)\] (.*?) \(allowed: /g)].map(([, rule, place]) => `[${rule}] ${place}`).sort();

describe("a real API server", function () {
  this.timeout(600_000);
  let server: BareServer;
  before(async function () {
    const started = await BareServer.start();
    if (started === undefined) this.skip();
    server = started;
    await namespace(OUTSIDE);
  });
  after(() => server?.stop());

  const namespace = (name: string): Promise<void> =>
    server.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });

  /** An environment with one namespace of its own, which has its name. */
  async function environment(name: string, judgement: Judgement): Promise<void> {
    await namespace(name);
    await install(name, judgement);
    await server.until(async () => named(await dryRun(bad, name)).length > 0);
  }

  async function install(name: string, judgement: Judgement): Promise<void> {
    const group = "/apis/admissionregistration.k8s.io/v1";
    for (const { role, spec, actions, paramRef } of admissionPolicies([name], judgement)) {
      const head = { apiVersion: "admissionregistration.k8s.io/v1", metadata: { name: policyName(name, role) } };
      await server.create(`${group}/validatingadmissionpolicies`, { ...head, kind: "ValidatingAdmissionPolicy", spec });
      const matchResources = {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
      };
      const bound = { policyName: head.metadata.name, validationActions: actions, matchResources, paramRef };
      await server.create(`${group}/validatingadmissionpolicybindings`, {
        ...head,
        kind: "ValidatingAdmissionPolicyBinding",
        spec: bound,
      });
    }
  }

  const bad = carry(
    "Pod",
    template([container({ securityContext: { privileged: true } })], { hostPID: true }),
  ).manifest;
  const dryRun = (object: Manifest, place: string, user?: string): Promise<Answer> =>
    server.ask("POST", `${pathOf(object, place)}?dryRun=All`, within(object, place), user);

  /** Undefined where the server itself does not take such an object; else what it says, and what it is to say. */
  async function compared(
    object: Manifest,
    place: string,
    judgement: Judgement,
  ): Promise<{ found: string[]; expected: string[] } | undefined> {
    const outside = await dryRun(object, OUTSIDE);
    if (outside.status !== 201) {
      assert.ok([400, 404, 422].includes(outside.status), `${outside.status} ${outside.body.message}`);
      return undefined;
    }
    const inside = await dryRun(object, place);
    // As it would be stored, with the server's own defaults.
    const expected = predicted({ ...object, ...outside.body }, judgement);
    assert.equal(inside.status, expected.length > 0 ? 403 : 201, `${inside.body.message}\n${expected.join("\n")}`);
    return { found: named(inside), expected };
  }

  /** A few at a time. */
  async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const rest = [...items];
    const worker = async (): Promise<void> => {
      for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  }

  describe("and Kubernetes' own Pod Security fixtures", () => {
    let root: string;
    const podSecurityOnly = Object.fromEntries(
      OBJECT_RULES.filter(({ profile }) => profile === undefined).map(({ id }): [string, Level] => [id, "disabled"]),
    );
    before(function () {
      const found = fixtures();
      if (typeof found === "string") root = found;
      else {
        console.error(`SKIPPED: the fixtures of ${MODULE} need Go and a module proxy: ${found.message.split("\n")[0]}`);
        this.skip();
      }
    });

    for (const level of ["baseline", "restricted"] as const satisfies Profile[]) {
      for (const version of Object.values(VERSIONS)) {
        it(`${level} 1.${version}: says of each what the rules say, also in a CronJob`, async () => {
          const place = `${level}-${version}`;
          const options = { ...HELD.options, podSecurity: { level, version } };
          const judgement = { ...HELD, levels: podSecurityOnly, options };
          await environment(place, judgement);
          const files = ["pass", "fail"].flatMap((way) => {
            const folder = join(root, level, `v1.${version}`, way);
            return readdirSync(folder).map((file) => join(folder, file));
          });
          let taken = 0;
          await each(files, async (file) => {
            const pod = parse(readFileSync(file, "utf8")) as Manifest & { metadata: object; spec: object };
            for (const kind of ["Pod", "CronJob"]) {
              const spec = { restartPolicy: "Never", ...pod.spec };
              const { manifest } = carry(kind, { metadata: pod.metadata, spec });
              const cron = { ...manifest, spec: { schedule: "@daily", ...(manifest.spec as object) } };
              const answer = await compared(kind === "Pod" ? pod : cron, place, judgement);
              if (answer === undefined) continue;
              taken += 1;
              assert.deepEqual(answer.found, answer.expected, `${file} as ${kind}`);
              assert.equal(answer.found.length > 0, file.includes("/fail/"), file);
            }
          });
          assert.ok(taken > files.length, `${taken} of ${files.length * 2}`);
        });
      }
    }
  });

  it("says of the cases of each rule what the rules say", async () => {
    await environment("shop", HELD);
    const found = new Set<string>();
    await each(
      CASES.flatMap(({ manifests }) => manifests).filter(
        (object) => isReached(object) && kindOf(object) !== "Namespace",
      ),
      async (object) => {
        const answer = await compared(whole({ apiVersion: "v1", ...object }), "shop", HELD);
        if (answer === undefined) return;
        assert.deepEqual(answer.found, answer.expected, JSON.stringify(object));
        for (const one of answer.found) found.add(one.replace(/^\[(.*?)\].*$/, "$1"));
      },
    );
    assert.ok(found.size > 25, [...found].join(" "));
  });

  it("refuses an ephemeral container, and lets what is there be labelled and deleted", async () => {
    const place = "debugging";
    await namespace(place);
    const created = within(bad, place);
    const path = pathOf(bad, place);
    await server.create(path, created);
    await install(place, HELD);
    await server.until(async () => named(await dryRun(bad, place)).length > 0);
    const { name } = bad.metadata as { name: string };
    const debug = { name: "debug", image: "busybox", securityContext: { privileged: true } };
    const patch = { spec: { ephemeralContainers: [debug] } };
    const refused = await server.ask("PATCH", `${path}/${name}/ephemeralcontainers`, patch);
    assert.equal(refused.status, 403, refused.body.message);
    assert.ok(named(refused).includes('[privileged] container "debug": securityContext.privileged'));
    const labelled = await server.ask("PATCH", `${path}/${name}`, { metadata: { labels: { a: "b" } } });
    assert.equal(labelled.status, 200, labelled.body.message);
    const deleted = await server.ask("DELETE", `${path}/${name}?gracePeriodSeconds=0`);
    assert.equal(deleted.status, 200, deleted.body.message);
  });

  it("lets Kubernetes' own controllers make what was judged as a template", async () => {
    const controller = "system:serviceaccount:kube-system:replicaset-controller";
    assert.equal((await dryRun(bad, "debugging")).status, 403);
    assert.equal((await dryRun(bad, "debugging", controller)).status, 201);
  });

  it("lets an exemption end by its own clock", async () => {
    const day = (ahead: number): string => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
    const exempting = (until: string): Judgement => {
      const of = { target: { kind: "Pod", name: "web" }, reason: "a test", owner: "tests", until };
      const exemptions: Exemption[] = ["privileged", "non-root"].map((rule) => ({ rule, ...of }));
      return { ...HELD, exemptions };
    };
    await environment("holding", exempting(day(1)));
    await environment("ended", exempting(day(-1)));
    const isWaived = async (place: string): Promise<boolean> =>
      !named(await dryRun(bad, place)).some((each) => each.startsWith("[privileged]"));
    assert.deepEqual([await isWaived("holding"), await isWaived("ended")], [true, false]);
  });

  it("warns of what is advisory, and takes it", async () => {
    const levels = Object.fromEntries(OBJECT_RULES.map(({ id }): [string, Level] => [id, "advisory"]));
    await namespace("warned");
    await install("warned", { ...HELD, levels: { ...levels, "host-path": "mandatory" } });
    await server.until(async () => (await dryRun(bad, "warned")).warnings.length > 0);
    const { status, warnings } = await dryRun(bad, "warned");
    assert.equal(status, 201);
    assert.match(warnings.join(), /\[privileged\] container .{2}api.{2}: securityContext\.privileged/);
  });
});
