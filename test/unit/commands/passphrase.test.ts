import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { checkPassphrase, withPassphrase } from "../../../commands/passphrase";
import { Pulumi } from "../../../commands/pulumi";

describe("a stack's passphrase", () => {
  let folder: string;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "passphrases-"));
    fs.writeFileSync(path.join(folder, "qa"), "of qa");
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it("is the one of its name in the folder, whatever else is set", () => {
    const env = { PLATFORM_PASSPHRASES: folder, PULUMI_CONFIG_PASSPHRASE: "of all", A: "b" };
    assert.deepEqual(withPassphrase(env, "qa"), {
      PLATFORM_PASSPHRASES: folder,
      PULUMI_CONFIG_PASSPHRASE_FILE: path.join(folder, "qa"),
      A: "b",
    });
    assert.throws(() => withPassphrase(env, "prod"), /has no file "prod"/);
  });

  it("is the environment's own where no folder is named", () => {
    const env = { PULUMI_CONFIG_PASSPHRASE: "one" };
    assert.equal(withPassphrase(env, "qa"), env);
  });

  it("is refused where it does not open the state, as Pulumi made it, before anything is written", () => {
    const salt = "v1:+sfgJDWHAfA=:v1:7Aj6KOfZEpJCa+3W:dbHwy4S9re/NP+PmGvTaZGHzUH+waA==";
    const provider = { type: "passphrase", state: { salt } };
    const file = path.join(folder, "two");
    fs.writeFileSync(file, "two\n");
    checkPassphrase(provider, { PULUMI_CONFIG_PASSPHRASE: "two" }, "qa");
    checkPassphrase(provider, { PULUMI_CONFIG_PASSPHRASE_FILE: file }, "qa");
    assert.throws(() => checkPassphrase(provider, { PULUMI_CONFIG_PASSPHRASE: "one" }, "qa"), /not that of stack qa/);
    checkPassphrase({ type: "cloud" }, { PULUMI_CONFIG_PASSPHRASE: "one" }, "qa");
    checkPassphrase(undefined, {}, "qa");
  });

  it("is the local cluster's for a local cluster, and the way out of a lock is told where locks outlive their runs", () => {
    const local = { PULUMI_BACKEND_URL: "file:///x", PULUMI_CONFIG_PASSPHRASE_FILE: "/x/passphrase" };
    const pulumi = new Pulumi({ ...local, PLATFORM_PASSPHRASES: folder }, "qa");
    assert.equal(pulumi.env.PULUMI_CONFIG_PASSPHRASE_FILE, "/x/passphrase");
    assert.equal(pulumi.lockHint, "");
    assert.match(new Pulumi({ PULUMI_BACKEND_URL: "s3://x" }, "qa").lockHint, /pulumi cancel -s qa/);
  });
});
