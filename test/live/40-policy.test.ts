import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Result, apply, broughtUp, copyOfProject, kubectl, pulumi, testPod, tryKubectl } from "./world";

const STACK = "dev";

/** A Deployment as an unwary hand would add it to index.ts; `container` and `namespace` say what is wrong with it. */
const workload = (container: string, namespace: string): string => `
  new k8s.apps.v1.Deployment("unwary", {
    metadata: { name: "unwary", namespace: ${namespace} },
    spec: {
      selector: { matchLabels: { app: "unwary" } },
      template: {
        metadata: { labels: { app: "unwary" } },
        spec: { containers: [{ name: "main", image: imageOf("busybox"), ${container} }] },
      },
    },
  }, { provider: opts.providers.kubernetes });
`;

const LIMITS = `resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "100m", memory: "32Mi" } }`;
const SECURE = `securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, seccompProfile: { type: "RuntimeDefault" } }`;
const APPS = `environment.namespace("apps")`;

const PACK = ["--policy-pack", "policy", "--policy-pack-config", `policy/config/${STACK}.json`];
const preview = (cwd: string, pack: readonly string[]): Promise<Result> =>
  pulumi(["preview", "-s", STACK, ...pack], { cwd });

const cases = [
  {
    what: "a root container",
    code: workload(`${LIMITS}, securityContext: { runAsUser: 0 }`, APPS),
    expected: [/non-root/, /unwary/, /container "main"/, /runAs/],
  },
  {
    what: "a container without limits",
    code: workload(SECURE, APPS),
    expected: [/limits/, /unwary/, /container "main"/, /resources/],
  },
  {
    what: "a workload that no policy selects",
    code: workload(`${LIMITS}, ${SECURE}`, `"default"`),
    expected: [/network/i, /unwary/],
  },
];

describe("policy: a preview fails and teaches, with the pack and without", function () {
  this.timeout(600_000);
  const copies: string[] = [];
  const copyWith = async (code: string): Promise<string> => {
    const copy = await copyOfProject();
    copies.push(copy);
    const file = path.join(copy, "index.ts");
    const original = fs.readFileSync(file, "utf8");
    const at = original.lastIndexOf("  return {");
    const needed = 'import * as k8s from "@pulumi/kubernetes";\n';
    fs.writeFileSync(file, `${needed}${original.slice(0, at)}${code}${original.slice(at)}`);
    return copy;
  };

  before(broughtUp);
  after(() => copies.forEach((copy) => fs.rmSync(copy, { recursive: true, force: true })));

  for (const { what, code, expected } of cases) {
    describe(what, () => {
      let previews: Record<"with the pack" | "bare", Result>;
      before(async () => {
        const [packed, bare] = await Promise.all([PACK, []].map(async (pack) => preview(await copyWith(code), pack)));
        assert.ok(packed && bare);
        previews = { "with the pack": packed, bare };
      });
      for (const gate of ["with the pack", "bare"] as const) {
        it(`is refused ${gate}`, () => {
          const { code: exit, all } = previews[gate];
          assert.notEqual(exit, 0, all);
          for (const part of expected) assert.match(all, part);
        });
      }
    });
  }

  it("the platform itself passes, with the pack", async () => {
    const { code, all } = await preview(await copyWith(""), PACK);
    assert.equal(code, 0, all);
  });
});

describe("policy: the API server refuses what the rules do, whoever writes it", function () {
  this.timeout(600_000);
  const APPS_NAMESPACE = `${STACK}-apps`;
  const ELSEWHERE = "beside-the-platform";
  const NAME = "unwary";

  type Pod = Awaited<ReturnType<typeof testPod>>;
  type Manifest = Readonly<Record<string, unknown>>;
  const dryRun = (manifest: Manifest, namespace: string): Promise<Result> =>
    tryKubectl(["apply", "--dry-run=server", "-n", namespace, "-f", "-"], { input: JSON.stringify(manifest) });
  const refused = ({ code, err }: Result, ...parts: RegExp[]): void => {
    assert.notEqual(code, 0, "it was taken");
    for (const part of parts) assert.match(err, part);
  };

  let sound: Pod;
  before(async () => {
    await broughtUp();
    sound = await testPod(NAME, APPS_NAMESPACE);
    await kubectl(["create", "namespace", ELSEWHERE]);
  });
  after(async () => {
    await tryKubectl(["delete", "namespace", ELSEWHERE, "--wait=false"]);
    await tryKubectl([
      "delete",
      "pod",
      NAME,
      "-n",
      APPS_NAMESPACE,
      "--ignore-not-found",
      "--force",
      "--grace-period=0",
    ]);
  });

  const changed = (change: object, ofPod: object = {}): Manifest => {
    const [main] = sound.spec.containers;
    return { ...sound, spec: { ...sound.spec, containers: [{ ...main, ...change }], ...ofPod } };
  };
  const deployment = (pod: Manifest): Manifest => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: NAME },
    spec: {
      selector: { matchLabels: { test: NAME } },
      template: { metadata: { labels: { test: NAME } }, spec: pod.spec },
    },
  });
  const placeless = (manifest: Manifest): Manifest => ({ ...manifest, metadata: { name: NAME } });

  it("a Deployment without limits and with a floating image is refused, with each rule's id and field", async () => {
    const bad = deployment(changed({ resources: {}, image: "busybox:latest" }));
    const limits = /\[limits\] container "main": resources\.requests\.cpu/;
    refused(await dryRun(bad, APPS_NAMESPACE), limits, /\[image-tag\] container "main": image/, /\[image-origin\]/);
    assert.equal((await dryRun(bad, ELSEWHERE)).code, 0);
  });

  it("a sound Deployment is taken, and warned of what is advisory", async () => {
    const { code, err } = await dryRun(deployment(sound as unknown as Manifest), APPS_NAMESPACE);
    assert.equal(code, 0, err);
    assert.match(err, /Warning: .*\[probes\] container/s);
  });

  it("a path of the node is refused in a template, and in a pod what Pod Security does not know", async () => {
    const volumes = [...sound.spec.volumes, { name: "node", hostPath: { path: "/" } }];
    const mounting = deployment(changed({}, { volumes }));
    refused(await dryRun(mounting, APPS_NAMESPACE), /\[host-path\] volume "node": hostPath/);
    assert.equal((await dryRun(mounting, ELSEWHERE)).code, 0);
    const probing = placeless(changed({ readinessProbe: { tcpSocket: { port: "gone" } } }));
    refused(await dryRun(probing, APPS_NAMESPACE), /\[probe-port\] container "main": readinessProbe\.tcpSocket\.port/);
    assert.equal((await dryRun(probing, ELSEWHERE)).code, 0);
  });

  it("an ephemeral container is refused as any other", async () => {
    await apply(sound);
    const debug = ["debug", NAME, "-n", APPS_NAMESPACE, "--image=busybox:latest", "--profile=restricted"];
    const result = await tryKubectl([...debug, "--container=debug", "--", "sleep", "1"]);
    refused(result, /\[image-tag\] container "debug": image/);
  });

  it("a Service that opens a port on every node is refused", async () => {
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: NAME },
      spec: { type: "NodePort", ports: [{ port: 80 }] },
    };
    refused(await dryRun(service, APPS_NAMESPACE), /\[exposure\] spec\.type/);
    assert.equal((await dryRun(service, ELSEWHERE)).code, 0);
  });

  it("everything that runs in the environment would be let in again", async () => {
    const kinds = "deployments,statefulsets,jobs,cronjobs,services,roles,rolebindings,gateways";
    const found = await kubectl(["get", kinds, "-A", "-o", "json"]);
    interface Found {
      readonly kind: string;
      readonly metadata: { readonly namespace: string; readonly name: string };
    }
    const { items } = JSON.parse(found) as { items: Found[] };
    const ours = items.filter(({ metadata }) => metadata.namespace.startsWith(`${STACK}-`));
    assert.ok(ours.length > 20);
    const faults: string[] = [];
    for (const { metadata, ...object } of ours) {
      // Admission comes before the question whether there is one already.
      const input = JSON.stringify({ ...object, metadata: { name: metadata.name } });
      const again = ["create", "--dry-run=server", "-n", metadata.namespace, "-f", "-"];
      const { err } = await tryKubectl(again, { input });
      if (!err.includes("AlreadyExists")) faults.push(`${object.kind} ${metadata.namespace}/${metadata.name}: ${err}`);
    }
    assert.deepEqual(faults, []);
  });
});
