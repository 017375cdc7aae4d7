import assert from "node:assert/strict";
import { frontConfig } from "../../../components/objectStore/front";
import { serverFlags } from "../../../components/objectStore/pod";
import { type Recording, SECRET, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

type Change = Parameters<Scene["objectStore"]>[1];

const POD = "spec.template.spec";

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly readinessProbe: {
    readonly httpGet: { readonly path: string; readonly port: number };
    readonly successThreshold?: number;
  };
}

const made = (change: Change = {}): Promise<Recording> =>
  record(() => {
    const scene = new Scene();
    const store = scene.objectStore("object-store", change);
    store.connect({ name: "web", namespace: "dev-apps", selector: { app: "web" } }, scene.opts);
    return {
      app: store.clientSecret("web", "dev-apps"),
      loader: store.clientSecret("web", "dev-apps", "loader"),
      certificate: store.certificateOf("web", "dev-apps", scene.opts),
    };
  });

const container = (recording: Recording, name: string): Container => {
  const all = field(one(recording, "StatefulSet", "object-store-server"), `${POD}.containers`) as Container[];
  return all.find((each) => each.name === name) as Container;
};
const template = (recording: Recording, name: string): Record<string, string> =>
  field(one(recording, "ExternalSecret", `vault-${name}-sync`), "spec.target.template.data") as Record<string, string>;
const settings = (recording: Recording): { users: { name: string; policy: object }[]; buckets: string[] } => {
  const { data } = one(recording, "ConfigMap", "object-store-keeper-files").inputs as { data: Record<string, string> };
  return JSON.parse(data["settings.json"] ?? "") as ReturnType<typeof settings>;
};

describe("the object store", () => {
  let single: Recording;
  let parts: Recording;
  before(async () => {
    single = await made();
    parts = await made({ mode: "distributed", servers: 4, spread: "hard" });
  });

  it("gives an application what every client of S3 understands, the password from Vault only", () => {
    assert.deepEqual(
      [single.outputs.app, single.outputs.loader, single.outputs.certificate],
      ["web-object-store", "web-loader-object-store", "web-client"],
    );
    assert.deepEqual(template(single, "web-object-store"), {
      AWS_ENDPOINT_URL_S3: "https://object-store.dev-data.svc.cluster.local:9000",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "app-web",
      AWS_SECRET_ACCESS_KEY: "{{ .app_web }}",
      AWS_CA_BUNDLE: "/etc/object-store/ca.crt",
      S3_BUCKET: "files",
      S3_CERTIFICATES: "/etc/object-store",
    });
    const other = template(single, "web-loader-object-store");
    assert.deepEqual([other.AWS_ACCESS_KEY_ID, other.AWS_SECRET_ACCESS_KEY], ["load-web", "{{ .load_web }}"]);
    const policy = one(single, "Policy", "vault-web-object-store-policy").inputs.policy as string;
    assert.deepEqual(policy.match(/path "[^"]*"/g), ['path "kv/data/object-store/app-web"']);
    assert.equal(one(single, "SecretV2", "vault-object-store-app-web").inputs.dataJson, SECRET);
  });

  it("has nothing for an application that it was not told of", async () => {
    const asking = record(() => void new Scene().objectStore().clientSecret("other", "dev-apps"));
    await assert.rejects(asking, /"other" has no bucket here: web, my-shop has/);
  });

  it("[004.13] declares a bucket and a user for each, who may do what its work takes", () => {
    const { buckets, users } = settings(single);
    assert.deepEqual(buckets, ["files", "orders"]);
    const rights = Object.fromEntries(users.map(({ name, policy }) => [name, JSON.stringify(policy)]));
    assert.deepEqual(Object.keys(rights), ["app-web", "load-web", "app-my-shop"]);
    const reading = { Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::files/*"] };
    assert.equal(rights["app-web"], JSON.stringify({ Version: "2012-10-17", Statement: [reading] }));
    assert.match(rights["load-web"] ?? "", /"s3:PutObject"/);
    assert.doesNotMatch(rights["load-web"] ?? "", /Delete|List|orders/);
    assert.match(rights["app-my-shop"] ?? "", /"s3:DeleteObject".*"arn:aws:s3:::orders\/\*".*"s3:ListBucket"/);
    assert.doesNotMatch(Object.values(rights).join(), /s3:\*|admin/);
  });

  it("has one bucket for those who name the same", async () => {
    const shared = await made({
      buckets: { web: { name: "files", access: "write" }, site: { name: "files", access: "read" } },
    });
    assert.deepEqual(settings(shared).buckets, ["files"]);
  });

  it("takes up an application without a change of its servers", async () => {
    const more = await made({ buckets: { ...new Scene().buckets, late: { name: "late", access: "write" } } });
    const servers = (recording: Recording): unknown => one(recording, "StatefulSet", "object-store-server").inputs;
    assert.deepEqual(servers(more), servers(single));
    assert.notDeepEqual(settings(more), settings(single));
  });

  it("gives the servers the administrator's password alone, and the keeper all", () => {
    assert.deepEqual(template(single, "object-store-administrator"), { administrator: "{{ .administrator }}" });
    assert.deepEqual(Object.keys(template(single, "object-store-logins")).sort(), [
      "administrator",
      "app-my-shop",
      "app-web",
      "load-web",
    ]);
    const password = container(single, "minio").env.find(({ name }) => name === "MINIO_ROOT_PASSWORD");
    assert.deepEqual(password?.valueFrom, {
      secretKeyRef: { name: "object-store-administrator", key: "administrator" },
    });
  });

  it("keeps passwords out of what can be read", () => {
    const shown = JSON.stringify(single.resources.map(({ inputs }) => inputs));
    assert.doesNotMatch(shown, /generated-object-store/);
  });

  it("[004.5] wants a certificate of the authority for clients at their port, and shows one of the platform's own", () => {
    const { tls } = frontConfig() as { tls: { options: { default: { clientAuth: object } } } };
    assert.deepEqual(tls.options.default.clientAuth, {
      caFiles: ["/etc/front/clients.crt"],
      clientAuthType: "RequireAndVerifyClientCert",
    });
    const sources = field(one(single, "StatefulSet", "object-store-server"), `${POD}.volumes.0.projected.sources`);
    assert.deepEqual((sources as object[])[2], {
      secret: { name: "object-store-keeper-client", items: [{ key: "ca.crt", path: "clients.crt" }] },
    });
    for (const client of ["web-client", "object-store-keeper-client"]) {
      assert.equal(field(one(single, "Certificate", client), "spec.issuerRef.name"), "platform-clients");
      assert.deepEqual(field(one(single, "Certificate", client), "spec.usages"), ["digital signature", "client auth"]);
    }
    assert.equal(field(one(single, "Certificate", "object-store-tls"), "spec.issuerRef.name"), "platform");
  });

  it("alone listens to its own pod only; one of several to the others too, by the names that they have", () => {
    assert.deepEqual(container(single, "minio").args.slice(1, 3), ["--address", "127.0.0.1:9001"]);
    assert.deepEqual(container(single, "minio").args.at(-1), "/data");
    assert.deepEqual(container(parts, "minio").args.slice(1, 3), ["--address", ":9001"]);
    const all = "https://object-store-{0...3}.object-store-nodes.dev-data.svc.cluster.local:9001/data";
    assert.equal(container(parts, "minio").args.at(-1), all);
    assert.match(serverFlags({ mode: "distributed", servers: 3, name: "x" }, "n").at(-1) ?? "", /x-\{0\.\.\.2\}/);
  });

  it("opens the port of clients to those who are connected and to its keeper, and servers to each other only", () => {
    const policies = (recording: Recording): string[] => names(recording, "NetworkPolicy").sort();
    const usual = ["object-store-keeper-to-object-store", "web-to-object-store"];
    const both = (each: string): string[] => [`${each}-egress`, `${each}-ingress`];
    assert.deepEqual(
      policies(single),
      [...names(single, "NetworkPolicy").filter((name) => name.startsWith("vault")), ...usual.flatMap(both)].sort(),
    );
    const more = policies(parts).filter((name) => !policies(single).includes(name));
    assert.deepEqual(more, both("object-store-to-object-store"));
    const inside = one(parts, "NetworkPolicy", "object-store-to-object-store-ingress");
    assert.deepEqual(field(inside, "spec.ingress.0.ports"), [{ protocol: "TCP", port: 9001 }]);
  });

  it("is asked whether it can read before it is sent anybody, and one of several for a while", () => {
    const { path, port } = container(single, "minio").readinessProbe.httpGet;
    assert.deepEqual([path, port], ["/minio/health/cluster/read", 9002]);
    const steady = (recording: Recording): unknown => container(recording, "minio").readinessProbe.successThreshold;
    assert.deepEqual([steady(single), steady(parts)], [undefined, 6]);
  });

  it("keeps enough servers when nodes are emptied, and their data when it grows", () => {
    assert.deepEqual(
      names(single, "PodDisruptionBudget").filter((name) => name.startsWith("object-store")),
      [],
    );
    assert.equal(field(one(parts, "PodDisruptionBudget", "object-store-budget"), "spec.maxUnavailable"), 1);
    const servers = one(parts, "StatefulSet", "object-store-server");
    assert.equal(field(servers, "spec.replicas"), 4);
    assert.equal(field(servers, `${POD}.topologySpreadConstraints.0.whenUnsatisfiable`), "DoNotSchedule");
  });
});
