import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { kindDir } from "../../../sandbox/kind";
import { readLock } from "../../../toolchain/lock";
import { Fakes } from "../kind/fakes";

const ROOT = path.resolve(__dirname, "..", "..", "..");

/** Writes down its calls; `preview` leaves an event log with one change, and fails where the test says so. */
const PULUMI = `#!/bin/sh
case "$1" in
version) echo v3.220.0; exit ;;
esac
echo "$PULUMI_BACKEND_URL|$PULUMI_CONFIG_PASSPHRASE|$KUBECONFIG|$*" >>"$FAKE_DIR/pulumi.calls"
case "$1 $2" in
"stack ls") echo '[{"name":"dev"}]' ;;
"preview -s")
  while [ "$1" != --event-log ]; do shift; done
  [ "$PULUMI_DEBUG_COMMANDS" = true ] || exit 9
  echo '{"resourcePreEvent":{"metadata":{"op":"create","urn":"a::web","type":"kubernetes:core/v1:Service","new":{"custom":true}}}}' >"$2"
  [ ! -e "$FAKE_DIR/broken" ] ;;
esac
`;

describe("npm run preview", () => {
  let fakes: Fakes;
  let summary: string;

  beforeEach(() => {
    fakes = new Fakes();
    summary = path.join(fakes.root, "preview.md");
    const lock = readLock();
    for (const name of lock.items.pulumi?.provides ?? [])
      fs.writeFileSync(path.join(fakes.bin, name), PULUMI, { mode: 0o755 });
    for (const item of Object.values(lock.items).filter(({ plugin }) => plugin)) {
      const dir = path.join(fakes.root, "home", "plugins", `resource-${item.plugin}-v${item.version}`);
      fs.mkdirSync(dir, { recursive: true });
      fs.writeFileSync(path.join(dir, `pulumi-resource-${item.plugin}`), "#!/bin/sh\n", { mode: 0o755 });
    }
  });
  afterEach(() => fakes.remove());

  function preview(args: string[], env: NodeJS.ProcessEnv = {}): { code: number | null; err: string } {
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--require", "tsx/cjs", "commands/preview.ts", "--summary", summary, ...args],
      {
        cwd: ROOT,
        encoding: "utf8",
        env: {
          ...process.env,
          PULUMI_HOME: path.join(fakes.root, "home"),
          PULUMI_BACKEND_URL: "",
          PULUMI_CONFIG_PASSPHRASE: "",
          KUBECONFIG: "",
          ...env,
        },
      },
    );
    return { code: status, err: stderr };
  }

  const pulumi = (): string[] => fs.readFileSync(path.join(fakes.root, "pulumi.calls"), "utf8").trim().split("\n");
  const written = (): string => fs.readFileSync(summary, "utf8");

  it("uses the shared backend and cluster when both are named, and makes no stack there", () => {
    const kubeconfig = path.join(fakes.root, "theirs");
    fs.writeFileSync(kubeconfig, "");
    const env = { PULUMI_BACKEND_URL: "s3://bucket", KUBECONFIG: kubeconfig, PULUMI_CONFIG_PASSPHRASE: "p" };
    const { code, err } = preview(["--stack", "qa"], env);
    assert.equal(code, 0, err);
    assert.equal(pulumi().length, 1);
    assert.match(
      pulumi()[0] ?? "",
      /^s3:\/\/bucket\|p\|\S+theirs\|preview -s qa --diff --policy-pack policy --policy-pack-config policy\/config\/qa\.json --event-log \S+ --non-interactive$/,
    );
    assert.match(written(), /Against the shared backend \\\(s3\\\)/);
    assert.match(written(), /1 to create/);
    assert.ok(!written().includes("bucket"));
  });

  it("makes an empty kind cluster without one, says so, and removes it", () => {
    const { code, err } = preview(["--stack", "prod"]);
    assert.equal(code, 0, err);
    const kind = fakes
      .calls()
      .filter(({ program }) => program === "kind")
      .map(({ args }) => args.slice(0, 4).join(" "));
    assert.deepEqual(kind, ["create cluster --name preview-prod", "delete cluster --name preview-prod"]);
    assert.equal(fs.existsSync(kindDir("preview-prod")), false);
    const dir = kindDir("preview-prod");
    // Earlier stages are there to be referred to, and the passphrase is the cluster's own.
    const steps = pulumi().map((line) => line.split("|"));
    assert.ok(
      steps.every(([backend, , kubeconfig]) => backend === `file://${dir}/state` && kubeconfig?.startsWith(dir)),
    );
    assert.deepEqual(
      steps.flatMap(([, , , call]) => (call?.startsWith("stack init") ? [call.split(" ")[2]] : [])),
      ["qa", "prod"],
    );
    assert.match(written(), /Against an empty kind cluster made for this run.*no shared backend is configured/);
  });

  it("does the same where a backend is named but a fork was given no cluster", () => {
    const { code, err } = preview(["--stack", "dev"], { PULUMI_BACKEND_URL: "s3://bucket" });
    assert.equal(code, 0, err);
    assert.match(written(), /Against an empty kind cluster.*a fork's pull request gets no secrets/);
  });

  it("fails with the preview, and still writes and cleans up", () => {
    fs.writeFileSync(path.join(fakes.root, "broken"), "");
    const { code } = preview(["--stack", "dev"]);
    assert.equal(code, 1);
    assert.match(written(), /^### Preview of `dev`: failed$/m);
    assert.equal(fs.existsSync(kindDir("preview-dev")), false);
  });

  it("writes why there was no preview at all", () => {
    fakes.change({ docker: false });
    const { code, err } = preview(["--stack", "dev"]);
    assert.equal(code, 1);
    assert.match(err, /^error: there is no cluster to preview against: npm run up makes a local one/m);
    assert.match(written(), /Cannot connect to the Docker daemon/);
  });

  it("refuses a stack that is none", () => {
    const { code, err } = preview(["--stack", "staging"]);
    assert.equal(code, 2);
    assert.match(err, /"staging" is no environment: take --stack dev, qa or prod/);
  });
});
