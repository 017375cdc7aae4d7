import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate, createPrivateKey, sign, verify } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Pair, authority, certificate, componentKubeconfig, signingKey } from "../../../sandbox/pki";

describe("a sandbox's certificates", () => {
  let dir: string;
  let ca: Pair;
  let pair: Pair;
  const request = { commonName: "admin", organization: "system:masters", names: ["DNS:api.example", "IP:127.0.0.1"] };
  const x509 = ({ cert }: Pair): X509Certificate => new X509Certificate(readFileSync(cert));
  const verifies = (trusted: Pair, shown: Pair): boolean => {
    try {
      execFileSync("openssl", ["verify", "-CAfile", trusted.cert, shown.cert], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  };
  before(() => {
    dir = join(mkdtempSync(join(tmpdir(), "pki-")), "pki");
    ca = authority(dir, "ca", "CA of the tests");
    pair = certificate(dir, "server", ca, request);
  });
  after(() => rmSync(join(dir, ".."), { recursive: true, force: true }));

  it("verify against their authority, and against no other", () => {
    assert.ok(verifies(ca, pair));
    assert.ok(!verifies(authority(dir, "other-ca", "another CA"), pair));
    assert.ok(x509(ca).ca && !x509(pair).ca);
  });

  it("name who they are for", () => {
    const certificate_ = x509(pair);
    assert.equal(certificate_.subject, "O=system:masters\nCN=admin");
    assert.equal(certificate_.checkHost("api.example"), "api.example");
    assert.equal(certificate_.checkIP("127.0.0.1"), "127.0.0.1");
    assert.equal(certificate_.checkHost("elsewhere.example"), undefined);
  });

  it("go with their keys, which only the owner reads", () => {
    for (const each of [ca, pair]) {
      assert.ok(x509(each).checkPrivateKey(createPrivateKey(readFileSync(each.key))));
      assert.equal(statSync(each.key).mode & 0o777, 0o600);
    }
    assert.equal(statSync(dir).mode & 0o777, 0o700);
  });

  it("have serial numbers of their own", () => {
    const others = ["one", "two"].map((name) => certificate(dir, name, ca, { commonName: name }));
    assert.equal(new Set([pair, ...others].map((each) => x509(each).serialNumber)).size, 3);
  });

  it("are made once: asked for again, they are what they were", () => {
    const contents = (): string[] => [ca.cert, ca.key, pair.cert, pair.key].map((file) => readFileSync(file, "utf8"));
    const before_ = contents();
    assert.deepEqual(authority(dir, "ca", "CA of the tests"), ca);
    assert.deepEqual(certificate(dir, "server", ca, request), pair);
    assert.deepEqual(contents(), before_);
  });

  it("are made anew after a kill between key and certificate", () => {
    const killed = certificate(dir, "killed", ca, request);
    rmSync(killed.cert);
    certificate(dir, "killed", ca, request);
    assert.ok(verifies(ca, killed));
    assert.ok(x509(killed).checkPrivateKey(createPrivateKey(readFileSync(killed.key))));
  });

  it("leave nothing half-made behind", () => {
    assert.deepEqual(
      readdirSync(dir).filter((file) => !/\.(crt|key|pub)$/.test(file)),
      [],
    );
  });

  it("fail with what openssl said", () => {
    const wrong = { commonName: "x", names: ["IP:nowhere"] };
    assert.throws(() => certificate(dir, "wrong", ca, wrong), /openssl/);
    assert.ok(!readdirSync(dir).includes("wrong.crt"));
  });

  it("go into a component's kubeconfig with their contents", () => {
    const text = componentKubeconfig("https://192.0.2.1:6443", ca, pair);
    const config = JSON.parse(text) as { users: { user: Record<string, string> }[] };
    const held = Buffer.from(config.users[0]?.user["client-certificate-data"] ?? "", "base64").toString();
    assert.equal(held, readFileSync(pair.cert, "utf8"));
  });
});

describe("the key that signs service account tokens", () => {
  it("is kept, and its public half verifies", () => {
    const dir = mkdtempSync(join(tmpdir(), "signing-"));
    try {
      const { key, publicKey } = signingKey(dir, "accounts");
      assert.deepEqual(signingKey(dir, "accounts"), { key, publicKey });
      assert.equal(statSync(key).mode & 0o777, 0o600);
      const signature = sign("sha256", Buffer.from("token"), readFileSync(key));
      assert.ok(verify("sha256", Buffer.from("token"), readFileSync(publicKey), signature));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
