import assert from "node:assert/strict";
import { OPERATORS_NAMESPACE } from "../../components/clusterServices/controller";
import { NODE_EXPORTER } from "../../components/clusterServices/nodeExporter";
import { SHARED } from "../../components/monitoring/shared";
import type { Verdict } from "../../policy/judge";
import { findingsIn, judge, unusedIn } from "../findings";
import type { Fields, Registered } from "../unit/components/recorder";
import { type Golden, differences, goldenOf, readGolden, writeGolden } from "./golden";
import { pathsOf } from "./paths";
import { AUTHORITY_KEY, KEY, type Run, STACKS, Stage, appsOf, pageOf } from "./stage";

const HINT = "If that is what you meant: UPDATE_GOLDEN=1 npx mocha 'test/program/*.test.ts', and commit the files.";

const CLUSTER_WIDE = [
  "ClusterRole",
  "ClusterRoleBinding",
  "ClusterIssuer",
  "GatewayClass",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
];

/** What a Redis and a Postgres of each stack's mode need open, to their clients and between their own pods. */
const CLIENT_PORTS: Record<string, readonly number[]> = { dev: [6379], qa: [6379, 26379], prod: [6379] };
const PATHS_INSIDE: Record<string, readonly string[]> = {
  dev: [],
  qa: ["data/redis → data/redis TCP 6379", "data/redis → data/redis TCP 26379"],
  prod: [
    "data/redis → data/redis TCP 6379",
    "data/redis → data/redis TCP 16379",
    "data/redis-shrink → data/redis TCP 6379",
    "data/redis-grow → data/redis TCP 6379",
    "data/postgres → data/postgres TCP 5432",
    "data/postgres → data/postgres TCP 8008",
  ],
};

const judged = (stack: string): Verdict[] => {
  const { resources } = readGolden(stack) as Golden;
  return judge(
    stack,
    Object.entries(resources).map(([key, { inputs, read }]) => {
      const [type = "", name = ""] = key.split(" ");
      return { type, name, inputs: (inputs ?? {}) as Fields, read: read === true };
    }),
  );
};

const isKubernetes = ({ type }: Registered): boolean => type.startsWith("kubernetes:");

describe("the program", function () {
  this.timeout(60_000);
  let stage: Stage;
  let runs: Record<string, Run>;
  before(async () => {
    stage = await Stage.set();
    const all = await Promise.all(STACKS.map((stack) => stage.run(stack)));
    runs = Object.fromEntries(STACKS.map((stack, index) => [stack, all[index] as Run]));
  });
  after(() => stage.strike());

  it("needs every exemption that the policies list", () => {
    assert.deepEqual(unusedIn(STACKS.flatMap(judged)), []);
  });

  for (const stack of STACKS) {
    describe(`for ${stack}`, () => {
      const run = (): Run => runs[stack] as Run;
      const made = (): readonly Registered[] => run().resources.filter(({ read }) => !read);

      it("runs to its end", () => assert.equal(run().error, undefined));

      it("asks for what the committed file says", () => {
        const found = goldenOf(run());
        if (process.env.UPDATE_GOLDEN) writeGolden(stack, found);
        const lines = differences(readGolden(stack) ?? { resources: {}, outputs: {} }, found);
        if (lines.length > 0)
          assert.fail(`${stack} differs from test/program/golden/${stack}.json:\n${lines.join("\n")}\n${HINT}`);
      });

      it("asks for nothing twice", () => {
        const urns = run().resources.map(({ urn }) => urn);
        assert.deepEqual(
          urns.filter((urn, index) => urns.indexOf(urn) < index),
          [],
        );
        const objects = made().flatMap(({ type, inputs }) => {
          const { namespace = "", name } = (inputs.metadata ?? {}) as { namespace?: string; name?: string };
          return name ? [`${type} ${namespace}/${name}`] : [];
        });
        assert.deepEqual(
          objects.filter((each, index) => objects.indexOf(each) < index),
          [],
        );
      });

      it("leaves no object to an ambient kubeconfig, and binds its provider to the one cluster", () => {
        for (const each of run().resources.filter(isKubernetes)) assert.match(each.provider, /::cluster::/, each.name);
        const provider = run().resources.find(({ type }) => type === "pulumi:providers:kubernetes");
        assert.equal(provider?.inputs.clusterIdentifier, stage.cluster.uid);
      });

      it("keeps every secret wrapped, in inputs and outputs", () => {
        const shown = JSON.stringify([run().resources.map(({ inputs }) => inputs), run().outputs]);
        const opened = JSON.stringify(run().resources.map((each) => each.opened));
        assert.ok(
          opened.includes(KEY) && opened.includes("generated-redis-password"),
          "the test looks for the wrong texts",
        );
        for (const secret of [KEY, AUTHORITY_KEY, "generated-", "hashed-"])
          assert.ok(!shown.includes(secret), `${secret} is in the open`);
      });

      it("puts every object into a namespace of its own, and none elsewhere", () => {
        const namespaces = Object.values((run().outputs as { namespaces: Record<string, string> }).namespaces);
        for (const name of namespaces) assert.ok(name.startsWith(`${stack}-`), name);
        for (const { name, type, inputs } of made().filter(isKubernetes)) {
          const metadata = inputs.metadata as { namespace?: string; name?: string };
          const place = (type.endsWith(":Namespace") ? metadata.name : metadata.namespace) ?? "";
          const isClusterWide = CLUSTER_WIDE.some((kind) => type.endsWith(`:${kind}`));
          const isShared = [OPERATORS_NAMESPACE, NODE_EXPORTER.namespace].includes(place);
          assert.ok(isClusterWide || isShared || namespaces.includes(place), name);
        }
      });

      it("runs images by digest only", () => {
        const images =
          JSON.stringify(
            run()
              .resources.filter(isKubernetes)
              .map(({ inputs }) => inputs),
          ).match(/"image":"[^"]*"/g) ?? [];
        assert.ok(images.length >= 3);
        for (const image of images) assert.match(image, /:[^:@/"]+@sha256:[0-9a-f]{64}"$/);
      });

      it("says where its applications answer, and which images they run", () => {
        const { endpoints, releases } = run().outputs as { endpoints: Fields; releases: Fields };
        const apps = [...Object.keys(appsOf(stack)), ...(pageOf(stack) ? ["status-page"] : [])].sort();
        assert.deepEqual([Object.keys(endpoints).sort(), Object.keys(releases).sort()], [apps, apps]);
      });

      it("says under which hosts browsers find the applications, where, and whom to trust", () => {
        const { edge } = run().outputs as { edge: Fields };
        const hosts = Object.entries(appsOf(stack)).flatMap(([name, { host, path = "" }]) =>
          host ? [[name, `https://${host}.${stack}.platform.test${path}`]] : [],
        );
        if (pageOf(stack)) hosts.push(["status-page", `https://status.${stack}.platform.test`]);
        assert.ok(hosts.length > 0);
        const certificateAuthority = "certificate of the authority";
        assert.deepEqual(edge, {
          address: "192.0.2.7",
          hosts: Object.fromEntries(hosts) as Fields,
          certificateAuthority,
        });
      });

      it("is taken apart only where its data may go, beginning with what says so", () => {
        const guard = run().resources.find(({ name }) => name === `${stack}-data-guard`);
        assert.equal(guard?.options.protect, stack === "prod" || undefined);
        const { resources } = run();
        const parts = resources.filter(
          ({ type, parent }) =>
            /^platform:index:(?!.*Image$|ClusterServices$)/.test(type) && parent.endsWith(`::platform-${stack}`),
        );
        // A component is waited for by way of what it is made of.
        const waits = ({ urn }: { urn: string }): boolean =>
          resources.some((each) => each.parent === urn && guard?.dependencies.includes(each.urn));
        assert.ok(parts.length > 6);
        assert.deepEqual(
          parts.filter((part) => !waits(part)).map(({ name }) => name),
          [],
        );
      });

      it("is committed with nothing that the policies refuse", () => {
        const verdicts = judged(stack);
        assert.ok(verdicts.length > 100);
        assert.deepEqual(findingsIn(verdicts), []);
      });

      it("opens the declared paths, and no other", () => {
        const apps = Object.entries(appsOf(stack));
        const links = apps.flatMap(([name, { redis, postgres }]) =>
          [
            ...(redis ? (CLIENT_PORTS[stack] ?? []).map((port) => `redis TCP ${port}`) : []),
            ...(postgres ? ["postgres TCP 5432"] : []),
          ].map((store) => `${stack}-apps/${name} → ${stack}-data/${store}`),
        );
        const inside = (PATHS_INSIDE[stack] ?? []).map((path) => path.replaceAll("data/", `${stack}-data/`));
        const exposed = apps.flatMap(([name, { expose, port }]) =>
          expose ? [`outside → ${stack}-apps/${name} TCP ${port}`] : [],
        );
        const edge = apps.flatMap(([name, { host, port }]) =>
          host ? [`${stack}-edge/edge → ${stack}-apps/${name} TCP ${port}`] : [],
        );
        const vault = `${stack}-secrets/vault`;
        const readers = stack === "dev" ? [`${OPERATORS_NAMESPACE}/external-secrets → ${vault} TCP 8200`] : [];
        const own = [
          ...[5000, 5001].map((port) => `outside → ${stack}-registry/registry TCP ${port}`),
          ...[8000, 8443].map((port) => `outside → ${stack}-edge/edge TCP ${port}`),
          `outside → ${vault} TCP 8200`,
          `${vault} → ${vault} TCP 8200`,
          `${vault} → ${vault} TCP 8201`,
        ];
        const prometheus = `${stack}-monitoring/prometheus`;
        const watched = [
          `${stack}-monitoring/alertmanager TCP 9093`,
          `${stack}-monitoring/blackbox TCP 9115`,
          `${prometheus} TCP 9090`,
          `${stack}-registry/registry TCP 5010`,
          `${stack}-registry/registry TCP 5011`,
          `${vault} TCP 8200`,
          `${stack}-data/redis TCP 9121`,
          `${stack}-data/postgres TCP 9187`,
          ...(stack === "dev" ? SHARED : []).map(
            ({ name, port, peer }) => `${peer.namespace as string}/${name} TCP ${port}`,
          ),
        ].map((target) => `${prometheus} → ${target}`);
        const probed = apps.map(
          ([name, { port }]) => `${stack}-monitoring/blackbox → ${stack}-apps/${name} TCP ${port}`,
        );
        const page = `${stack}-status/status-page TCP 3000`;
        const status = pageOf(stack)
          ? [
              `${stack}-edge/edge → ${page}`,
              `${stack}-monitoring/blackbox → ${page}`,
              `${prometheus} → ${page}`,
              `${stack}-status/status-page → ${stack}-edge/edge TCP 8443`,
            ]
          : [];
        const all = [...status, ...links, ...inside, ...exposed, ...edge, ...own, ...readers, ...watched, ...probed];
        assert.deepEqual(pathsOf(run().resources), all.sort());
        const undefended = run().resources.filter(({ type }) => !type.endsWith(":NetworkPolicy"));
        assert.ok(pathsOf(undefended).includes(`${stack}-registry/registry → ${stack}-registry/registry anything`));
      });
    });
  }

  it("opens between environments what leads from a status page to the edges that it watches, and nothing else", () => {
    const all = STACKS.flatMap((stack) => (runs[stack] as Run).resources);
    const stackOf = (pod: string): string => pod.split("-")[0] ?? "";
    const crossing = pathsOf(all).filter((path) => {
      const [from = "", to = ""] = path.split(" → ").map(stackOf);
      return from !== to && [from, to].every((each) => (STACKS as readonly string[]).includes(each));
    });
    const wanted = STACKS.flatMap((stack) =>
      (pageOf(stack)?.environments ?? [])
        .filter((each) => each !== stack)
        .map((each) => `${stack}-status/status-page → ${each}-edge/edge TCP 8443`),
    );
    assert.ok(wanted.length > 0);
    assert.deepEqual(crossing, wanted.sort());
  });

  it("tells a difference by resource and value, and no difference by nothing", () => {
    const before = { resources: { a: { inputs: { x: 1, y: [1, 2] } }, gone: {} }, outputs: { url: "one" } };
    const after = { resources: { a: { inputs: { y: [1, 3], z: {} } }, come: {} }, outputs: { url: "two" } };
    assert.deepEqual(differences(before, after), [
      "- a › inputs › x: 1",
      "~ a › inputs › y › 1: 2 → 3",
      "+ a › inputs › z: {}",
      "+ come",
      "- gone",
      '~ outputs › url: "one" → "two"',
    ]);
    assert.deepEqual(differences(after, structuredClone(after)), []);
  });

  it("brings definitions where the stack installs them, and keeps them out of the state", () => {
    assert.equal(stage.defined, 1);
    for (const stack of STACKS) assert.doesNotMatch(JSON.stringify(runs[stack]), /CustomResourceDefinition/);
  });

  it("builds in dev only, and runs elsewhere what the stage before recorded", () => {
    const builds = (stack: string): boolean =>
      (runs[stack] as Run).resources.some(({ type }) => type.startsWith("docker:"));
    assert.deepEqual(STACKS.map(builds), [true, false, false]);
    const before = (stack: string): readonly string[] => (runs[stack] as Run).asked;
    assert.deepEqual(STACKS.map(before), [[], ["organization/platform/dev"], ["organization/platform/qa"]]);
  });

  it("has every recorded image in the environment's own registry, by the digest of the stage before", () => {
    for (const stack of ["qa", "prod"]) {
      const { releases } = (runs[stack] as Run).outputs as { releases: Record<string, { image: string }> };
      for (const [app, { image }] of Object.entries(releases)) {
        assert.match(image, new RegExp(`^registry\\.${stack}-registry\\..*/${app}:`));
        assert.ok(stage.own.manifests.has(`${app}@${image.split("@")[1]}`), image);
      }
    }
  });

  it("asks for nothing at all on another cluster than the stack's", async () => {
    const { error, resources } = await stage.run("dev", { clusterUid: "uid-of-another" });
    assert.match(error ?? "", /^refused: stack dev belongs to cluster uid-of-another, but context "fake-admin"/);
    assert.deepEqual(
      resources.map(({ type }) => type),
      ["pulumi:pulumi:Stack"],
    );
  });

  const nothing = ({ resources }: Run): boolean => resources.every(({ type }) => type === "pulumi:pulumi:Stack");

  it("asks for nothing at all where the stage before never released an application", async () => {
    const run = await stage.run("qa", { releases: {} });
    assert.match(run.error ?? "", /^stack dev has recorded no image of "visit-tracker": run npm run up -- --stack dev/);
    assert.ok(nothing(run));
  });

  it("asks for nothing at all where a recorded image is gone, or its registry does not answer", async () => {
    const there = new Map(stage.source.manifests);
    stage.source.manifests.clear();
    const gone = await stage.run("prod");
    stage.source.fault = () => true;
    const silent = await stage.run("prod");
    stage.source.fault = () => false;
    for (const [key, manifest] of there) stage.source.manifests.set(key, manifest);
    // Of several applications it is any that says so first.
    assert.match(gone.error ?? "", /^stack qa recorded registry\.qa-registry.*, which its registry has no more/);
    assert.match(silent.error ?? "", /^the registry 127.* does not answer HEAD \/v2\/[\w-]+\/manifests/);
    assert.ok(nothing(gone) && nothing(silent));
  });

  it("does not run an application whose image this environment's registry refuses", async () => {
    stage.own.manifests.clear();
    stage.own.blobs.clear();
    stage.own.fault = ({ method }, response) => method === "POST" && Boolean(response.writeHead(405).end());
    const { error, resources } = await stage.run("prod");
    stage.own.fault = () => false;
    assert.match(error ?? "", /^the registry 127.* answers 405 to POST \/v2\/[\w-]+\/blobs\/uploads\/$/);
    assert.ok(!resources.some(({ type, name }) => type.endsWith(":Deployment") && name.startsWith("visit-tracker")));
  });
});
