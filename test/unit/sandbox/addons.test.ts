import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { manifests, render } from "../../../sandbox/addons";

const CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const images = Object.fromEntries(
  ["pause", "busybox", "coredns", "local-path-provisioner", "metrics-server"].map((name) => [
    name,
    `r/${name}@sha256:1`,
  ]),
);
const values = { dnsIp: "198.18.4.10", clusterCa: CA, images };

interface Manifest {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata?: { readonly name?: string };
}

describe("the cluster's own manifests", () => {
  it("take addresses and images", () => {
    assert.equal(render("a: ${dnsIp}\nb: ${image:coredns}", values), "a: 198.18.4.10\nb: r/coredns@sha256:1");
  });

  it("take the authority into one quoted line", () => {
    const [document] = parseAllDocuments(render('ca: "${clusterCa}"', values));
    assert.deepEqual(document?.toJS(), { ca: CA });
  });

  it("leave alone what is not theirs to fill in", () => {
    const text = "$(POD_NAME) $VAR ${VAR:-x} {{.Values}}";
    assert.equal(render(text, values), text);
  });

  it("are refused where they name what nobody provides", () => {
    for (const name of ["${image:vault}", "${nothing}", "${coredns}"])
      assert.throws(
        () => render(`x: ${name}`, values),
        /sandbox manifest names \$\{[a-z:]+\}, which nothing provides/,
        name,
      );
  });

  it("are whole objects, each once, with nothing left open", () => {
    const text = manifests(values);
    assert.ok(!text.includes("${"));
    const documents = parseAllDocuments(text);
    assert.deepEqual(
      documents.flatMap(({ errors }) => errors),
      [],
    );
    const objects = documents.map((document) => document.toJS() as Manifest | null).filter((each) => each !== null);
    for (const { kind, apiVersion, metadata } of objects) assert.ok(kind && apiVersion && metadata?.name, kind);
    const keys = objects.map((each) => JSON.stringify([each.kind, each.metadata]));
    assert.equal(new Set(keys).size, keys.length);
  });
});
