import assert from "node:assert/strict";
import type { Result } from "../../../checks/command";
import type { Outputs, Stand } from "../../../checks/stand";
import { objectsOf } from "../../../commands/stackObjects";
import type { Target } from "../../../components/lib/target";

const done = (out: string, err = "", code = 0): Result => ({ out, err, code, all: out + err });
const list = (...items: object[]): Result => done(JSON.stringify({ kind: "List", items }));

type Answers = (args: string) => Result | undefined;

/** A stack of two namespaces, one of them the cluster's services'. */
function stand(answers: Answers): { stand: Parameters<typeof objectsOf>[0]; asked: string[] } {
  const asked: string[] = [];
  const namespace = (name: string) => ({
    urn: name,
    type: "kubernetes:core/v1:Namespace",
    inputs: { metadata: { name } },
  });
  const fake: Pick<Stand, "stack" | "tryKubectl" | "resources" | "outputs" | "target"> = {
    stack: "dev",
    target: { images: {}, registries: {} } as unknown as Target,
    outputs: () => Promise.resolve({ namespaces: { apps: "dev-apps" } } as unknown as Outputs),
    resources: () => Promise.resolve([namespace("dev-apps"), namespace("platform-nodes")]),
    tryKubectl: (args) => {
      const line = args.join(" ");
      asked.push(line);
      const usual = line.startsWith("api-resources")
        ? done("configmaps\nsecrets\nevents\npods\ndeployments.apps\n")
        : line.includes("go-template")
          ? done("")
          : list();
      return Promise.resolve(answers(line) ?? usual);
    },
  };
  return { stand: fake, asked };
}

describe("the objects of a running stack", () => {
  it("are those of its own namespaces, of every kind but by-products", async () => {
    const { stand: looking, asked } = stand(() => undefined);
    await objectsOf(looking);
    const kinds = asked.filter((line) => line.includes("configmaps"));
    assert.deepEqual(
      kinds.map((line) =>
        line
          .replace(/^get --request-timeout=\w+ /, "")
          .split(" ")
          .slice(0, 3)
          .join(" "),
      ),
      ["configmaps,pods,deployments.apps -n dev-apps", "configmaps,pods,deployments.apps -n platform-nodes"],
    );
  });

  it("hold of a Secret its name and the names of its keys", async () => {
    const { stand: looking, asked } = stand((line) =>
      line.includes("secrets -n dev-apps") ? done("redis password ca.crt\nempty\n") : undefined,
    );
    const { documents } = await objectsOf(looking);
    assert.deepEqual(
      documents.map(({ manifest }) => [manifest.kind, manifest.metadata, manifest.data]),
      [
        ["Secret", { name: "redis", namespace: "dev-apps", annotations: {} }, { password: "", "ca.crt": "" }],
        ["Secret", { name: "empty", namespace: "dev-apps", annotations: {} }, {}],
      ],
    );
    const ofSecrets = asked.filter((line) => line.includes("secrets"));
    assert.equal(ofSecrets.length, 2);
    for (const line of ofSecrets) assert.ok(!line.includes("json") && !/\$value[^,: ]|\{\{\$value/.test(line), line);
  });

  it("say what may not be seen, once, and keep the rest", async () => {
    const refusal = 'Error from server (Forbidden): pods is forbidden: User "x" cannot list resource "pods"';
    const { stand: looking } = stand((line) =>
      line.includes("configmaps")
        ? { ...list({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }), err: `${refusal}\n`, code: 1 }
        : undefined,
    );
    const { documents, unread } = await objectsOf(looking);
    assert.deepEqual(unread, ['stack dev: pods is forbidden: User "x" cannot list resource "pods"']);
    assert.equal(documents.length, 2);
  });

  it("are not made up where the cluster does not answer", async () => {
    const silent = done("", "Unable to connect to the server: dial tcp 127.0.0.1:1: connection refused\n", 1);
    for (const what of ["api-resources", "configmaps", "secrets", "clusterroles"]) {
      const { stand: looking } = stand((line) => (line.includes(what) ? silent : undefined));
      await assert.rejects(objectsOf(looking), /the cluster does not answer: Unable to connect/, what);
    }
  });
});
