import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ROOT, exportsOf, sandboxSession, withoutSalt } from "../../../commands/session";
import { filesOf } from "../../../sandbox/layout";
import { authority } from "../../../sandbox/pki";

describe("the salt of a passphrase", () => {
  const config = "config:\n  platform:build: true\n";

  it("is taken out of a stack's file, wherever it stands", () => {
    assert.equal(withoutSalt(`encryptionsalt: v1:abc=:v1:def+/=\n${config}`), config);
    assert.equal(withoutSalt(`${config}encryptionsalt: v1:abc\n`), config);
    assert.equal(withoutSalt(`${config}encryptionsalt: v1:abc`), config);
  });

  it("is all that is taken out", () => {
    const text = `# encryptionsalt: is not committed\n${config}  platform:encryptionsalt: mine\n`;
    assert.equal(withoutSalt(text), text);
    assert.equal(withoutSalt(""), "");
  });

  it("is in no stack file that is committed", () => {
    for (const stack of ["dev", "qa", "prod"]) {
      const committed = execFileSync("git", ["show", `HEAD:Pulumi.${stack}.yaml`], { cwd: ROOT, encoding: "utf8" });
      assert.doesNotMatch(committed, /encryptionsalt/);
    }
  });
});

describe("the exports for a shell", () => {
  it("come out of it as they went in, quotes and all", () => {
    const value = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 10 }), (values) => {
        const names = values.map((_, index) => `VALUE_${index}`);
        const session = Object.fromEntries(values.map((each, index) => [names[index] ?? "", each]));
        const script = `${exportsOf(session)}\nprintf '%s\\0' ${names.map((name) => `"$${name}"`).join(" ")}`;
        const said = execFileSync("sh", ["-c", script], { env: {} });
        assert.deepEqual(said, Buffer.from(values.map((each) => `${each}\0`).join("")));
      }),
      { numRuns: 25 },
    );
  });

  it("reach the commands that are started from it", () => {
    const script = `${exportsOf({ WHO: `it's "me" $HOME \`id\`` })}\nsh -c 'printf %s "$WHO"'`;
    assert.equal(execFileSync("sh", ["-c", script], { encoding: "utf8" }), `it's "me" $HOME \`id\``);
  });
});

describe("a sandbox's session", () => {
  let dir: string;
  const toolchain = {
    bin: (name: string) => name,
    dir: () => "/store",
    path: "/store/bin",
    pulumiHome: "/home",
    env: {},
  };
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "session-"));
    authority(filesOf(dir).pki, "platform-ca", "CA of the tests");
  });
  after(() => rmSync(dir, { recursive: true, force: true }));
  const session = (): Record<string, string> => sandboxSession(dir, toolchain);

  it("keeps state and passphrase in the sandbox's directory, to go with it", () => {
    const { PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE_FILE, KUBECONFIG, PLATFORM_TARGET } = session();
    assert.equal(PULUMI_BACKEND_URL, `file://${filesOf(dir).state}`);
    assert.ok(existsSync(filesOf(dir).state));
    for (const file of [PULUMI_CONFIG_PASSPHRASE_FILE, KUBECONFIG, PLATFORM_TARGET])
      assert.ok(file?.startsWith(`${dir}/`), file);
  });

  it("has one passphrase for all times, which only the owner reads, and does not show it", () => {
    const file = session().PULUMI_CONFIG_PASSPHRASE_FILE ?? "";
    const passphrase = readFileSync(file, "utf8");
    assert.ok(passphrase.length >= 32);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(!exportsOf(session()).includes(passphrase));
    assert.equal(readFileSync(file, "utf8"), passphrase);
  });

  it("trusts the platform's own authority beside the machine's", () => {
    const bundle = readFileSync(session().SSL_CERT_FILE ?? "", "utf8");
    assert.ok(bundle.includes(readFileSync(join(filesOf(dir).pki, "platform-ca.crt"), "utf8")));
  });

  it("finds the toolchain's tools before the machine's", () => {
    assert.match(session().PATH ?? "", /^\/store\/bin:/);
  });
});
