import assert from "node:assert/strict";
import { parse } from "yaml";
import { type Fields, type Recording, SECRET, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

const HOST = "registry.dev-registry.svc.cluster.local";
const PULL = "generated-registry-pull-password";
const PUSH = "generated-registry-push-password";

interface Probe {
  readonly httpGet?: { readonly scheme: string };
  readonly tcpSocket?: Fields;
}

interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly image: string;
  readonly restartPolicy?: string;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly startupProbe?: {
    readonly exec: { readonly command: readonly string[] };
    readonly initialDelaySeconds: number;
  };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

interface JobPod {
  readonly restartPolicy: string;
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly affinity: unknown;
}

interface Affinity {
  readonly podAffinity: {
    readonly requiredDuringSchedulingIgnoredDuringExecution: readonly {
      readonly labelSelector: { readonly matchLabels: Readonly<Record<string, string>> };
    }[];
  };
}

describe("Registry", () => {
  let recording: Recording;
  before(async () => {
    recording = await record(() => {
      const registry = new Scene().registry("registry", { address: "198.51.100.7", storage: "9Gi" });
      return { pullSecret: registry.pullSecret("dev-apps", "apps"), password: registry.push.password };
    });
  });

  const config = (role: string): string => {
    const { data } = one(recording, "ConfigMap", "registry-config").inputs as { data: Record<string, string> };
    return data[`${role}.yml`] ?? "";
  };
  const templateOf = (name: string): Record<string, string> =>
    field(one(recording, "ExternalSecret", `vault-${name}-sync`), "spec.target.template.data") as Record<
      string,
      string
    >;
  const containers = (): Container[] =>
    field(one(recording, "Deployment"), "spec.template.spec.containers") as Container[];

  it("keeps key and login in secrets only", () => {
    assert.equal(recording.outputs.password, SECRET);
    const shown = JSON.stringify(recording.resources.map(({ inputs }) => inputs));
    for (const secret of ["key of the tests", PULL, PUSH, "hashed-registry-"]) assert.ok(!shown.includes(secret));
    assert.deepEqual(one(recording, "Secret", "registry-tls").opened.stringData, {
      "tls.crt": "certificate of the tests",
      "tls.key": "key of the tests",
    });
  });

  it("knows by the hash of a password who pulls, and apart from that who pushes", () => {
    assert.deepEqual(templateOf("registry-users"), {
      pull: "pull:{{ .pullHash }}\n",
      push: "push:{{ .pushHash }}\n",
    });
    const kept = (role: string): unknown =>
      JSON.parse(one(recording, "SecretV2", `vault-registry-${role}`).opened.dataJson as string);
    assert.deepEqual(kept("pull"), { pullPassword: PULL, pullHash: "hashed-registry-pull-password" });
    assert.deepEqual(kept("push"), { pushPassword: PUSH, pushHash: "hashed-registry-push-password" });
    for (const role of ["pull", "push"]) assert.match(config(role), new RegExp(`path: /etc/registry-users/${role} `));
  });

  it("can write nothing where it is pulled from, whoever asks", () => {
    assert.match(config("pull"), /readonly: \{ enabled: true \}/);
    assert.doesNotMatch(config("push"), /readonly/);
    const writable = ["pull", "push"].map((role) => {
      const { volumeMounts } = containers().find(({ name }) => name === role) ?? {};
      return volumeMounts?.find(({ name }) => name === "images")?.readOnly !== true;
    });
    assert.deepEqual(writable, [false, true]);
  });

  it("makes the pull secret that a kubelet understands", () => {
    const secret = one(recording, "ExternalSecret", "vault-registry-apps-sync");
    assert.equal(field(secret, "spec.target.template.type"), "kubernetes.io/dockerconfigjson");
    assert.deepEqual(field(secret, "metadata.namespace"), "dev-apps");
    assert.equal(recording.outputs.pullSecret, "regcred");
    // As the template's functions would fill it in.
    const auth = Buffer.from(`pull:${PULL}`).toString("base64");
    const text = (templateOf("registry-apps")[".dockerconfigjson"] ?? "")
      .replace('{{ printf "pull:%s" .pullPassword | b64enc }}', auth)
      .replace("{{ .pullPassword }}", PULL);
    assert.deepEqual(JSON.parse(text), { auths: { [HOST]: { username: "pull", password: PULL, auth } } });
  });

  it("lets those who pull read their own login only", () => {
    const policy = one(recording, "Policy", "vault-registry-apps-policy").inputs.policy as string;
    assert.deepEqual(policy.match(/path "[^"]*"/g), ['path "kv/data/registry/pull"']);
    assert.equal(
      (field(one(recording, "ExternalSecret", "vault-registry-apps-sync"), "spec.data") as unknown[]).length,
      1,
    );
  });

  it("answers over TLS at the address it is told, and at any where it is told none", async () => {
    const spec = field(one(recording, "Service", "registry-service"), "spec") as Record<string, unknown>;
    assert.equal(spec.loadBalancerIP, "198.51.100.7");
    assert.deepEqual(spec.ports, [
      { name: "pull", port: 443, targetPort: "pull" },
      { name: "push", port: 5443, targetPort: "push" },
    ]);
    for (const role of ["pull", "push"]) assert.match(config(role), /tls: \{ certificate: .*minimumtls: tls1\.[23]/);
    const anywhere = await record(() => void new Scene().registry());
    assert.equal(field(one(anywhere, "Service", "registry-service"), "spec.loadBalancerIP"), undefined);
  });

  it("lets in who is no pod, on its two ports", () => {
    const rules = { pull: 5000, push: 5001 };
    for (const [role, port] of Object.entries(rules)) {
      const policy = one(recording, "NetworkPolicy", `registry-${role}-from-outside`);
      assert.deepEqual(field(policy, "spec.ingress"), [
        {
          from: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.1.0.0/24", "10.1.1.0/24"] } }],
          ports: [{ protocol: "TCP", port }],
        },
      ]);
    }
  });

  it("goes on serving pulls while it takes no pushes", () => {
    const [pull, push] = containers();
    for (const probe of ["readinessProbe", "livenessProbe"] as const) {
      assert.equal(pull?.[probe].httpGet?.scheme, "HTTPS");
      // A request would be answered with 503, and end the pod.
      assert.deepEqual([push?.[probe].httpGet, push?.[probe].tcpSocket], [undefined, { port: "push" }]);
    }
  });

  it("never has two pods on the volume with the images", () => {
    const server = one(recording, "Deployment");
    assert.equal(field(server, "spec.strategy.type"), "Recreate");
    assert.equal(field(server, "spec.replicas"), 1);
    assert.equal(field(one(recording, "PersistentVolumeClaim"), "spec.resources.requests.storage"), "9Gi");
  });

  it("collects garbage only while it is closed to pushes, beside it on the volume's node, and opens again after", () => {
    const job = one(recording, "CronJob");
    assert.equal(field(job, "spec.concurrencyPolicy"), "Forbid");
    const pod = field(job, "spec.jobTemplate.spec.template.spec") as JobPod;
    const [guard, collector] = [pod.initContainers[0], pod.containers[0]];
    const { health } = parse(config("push")) as { health: { file: { file: string }[] } };
    const closed = health.file[0]?.file ?? "";
    assert.match(closed, /^\/var\/lib\/registry\//);
    assert.ok(!config("pull").includes(closed), "pulling goes on");
    // A sidecar is started before, and told to stop whenever the collector has ended.
    assert.deepEqual([guard?.restartPolicy, pod.restartPolicy], ["Always", "Never"]);
    assert.match(guard?.command.join(" ") ?? "", new RegExp(`trap 'rm -f ${closed}; exit 0' TERM.*touch ${closed}`));
    assert.deepEqual(guard?.startupProbe?.exec.command, ["test", "-e", closed]);
    assert.ok((guard?.startupProbe?.initialDelaySeconds ?? 0) >= 5);
    assert.match(collector?.command.join(" ") ?? "", /^registry garbage-collect --delete-untagged .*\/push\.yml$/);
    assert.equal(collector?.image, "registry.example/registry:3@sha256:2");
    const labels = field(one(recording, "Deployment"), "spec.template.metadata.labels") as Record<string, string>;
    const [affinity] = (pod.affinity as Affinity).podAffinity.requiredDuringSchedulingIgnoredDuringExecution;
    for (const [key, value] of Object.entries(affinity?.labelSelector.matchLabels ?? { none: "" }))
      assert.equal(labels[key], value);
  });

  it("keeps the pulling login for the next stage, which deployers may read, and nothing else", async () => {
    const made = (deployers: boolean): Promise<Recording> =>
      record(() => new Scene().registry("registry").forNextStage(deployers));
    const without = await made(false);
    assert.equal(
      field(one(without, "ExternalSecret", "vault-registry-stage-sync"), "metadata.namespace"),
      "dev-registry",
    );
    assert.deepEqual(
      names(without, "RoleBinding").filter((name) => name.startsWith("registry")),
      [],
    );
    const recording = await made(true);
    const rules = [{ apiGroups: [""], resources: ["secrets"], resourceNames: ["regcred"], verbs: ["get"] }];
    assert.deepEqual(field(one(recording, "Role", "registry-stage-role"), "rules"), rules);
    const binding = one(recording, "RoleBinding", "registry-stage-binding");
    assert.equal(field(binding, "metadata.namespace"), "dev-registry");
    assert.deepEqual(field(binding, "subjects"), [
      { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:serviceaccounts:platform-deployers" },
    ]);
  });
});
