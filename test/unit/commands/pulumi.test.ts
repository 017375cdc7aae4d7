import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Pulumi, withCreated } from "../../../commands/pulumi";
import { ancestorsOf, until } from "../../../sandbox/processes";
import { leftovers, pulumiProcesses } from "../../../sandbox/pulumiProcesses";

const STACK = "test-of-commands";
/** Answers from files beside it, writes down what it was asked, and waits when it is told to. */
const FAKE = `#!/bin/sh
dir=$(dirname "$0")
[ "$1" = wait ] && { sleep "$2"; exit 0; }
[ "$1" = start ] && { "$dir/$2" & [ "$3" = and-die ] && exit 0; wait; }
echo "$*" >>"$dir/asked"
[ "$1" = last ] && { trap 'echo ended >>"$dir/asked"; exit 4' INT; while :; do sleep 0.05; done; }
[ -e "$dir/fails" ] && { cat "$dir/fails" >&2; exit 3; }
[ "$1" = preview ] && { log=\${*#*--event-log }; cp "$dir/events" "\${log%% *}"; exit 0; }
case "$1 $2" in
  "stack ls") cat "$dir/stacks" ;;
  "stack export") [ -e "$dir/state" ] || { echo "error: no stack named '$4' found" >&2; exit 255; }; cat "$dir/state" ;;
  "stack import") cp "$6" "$dir/imported" ;;
esac
`;

describe("what a killed run was creating", () => {
  const taken = (type: string, inputs?: object, before: object[] = []): object[] => {
    const resource = { urn: "urn", type, ...(inputs ? { inputs } : {}) };
    const deployment = { resources: before, pending_operations: [{ type: "creating", resource }] };
    const after = withCreated(deployment as Parameters<typeof withCreated>[0]);
    assert.deepEqual(after.pending_operations, []);
    return (after.resources ?? []).map(({ urn, id }) => ({ urn, id }));
  };

  it("is taken for created by a mount's path in Vault, which cannot be made twice", () => {
    assert.deepEqual(taken("vault:index/mount:Mount", { path: "kv" }), [{ urn: "urn", id: "kv" }]);
    assert.deepEqual(taken("vault:index/policy:Policy", { path: "kv" }), []);
  });

  it("is taken for created by a Kubernetes object's namespace and name", () => {
    const metadata = { namespace: "dev-apps", name: "web" };
    assert.deepEqual(taken("kubernetes:apps/v1:Deployment", { metadata }), [{ urn: "urn", id: "dev-apps/web" }]);
    const cluster = { metadata: { name: "dev-apps" } };
    assert.deepEqual(taken("kubernetes:core/v1:Namespace", cluster), [{ urn: "urn", id: "dev-apps" }]);
  });

  it("is forgotten for other providers' resources, and where the name is not decided yet", () => {
    assert.deepEqual(taken("random:index/randomPassword:RandomPassword", { metadata: { name: "password" } }), []);
    assert.deepEqual(taken("kubernetes:core/v1:Secret", { metadata: { namespace: "dev-apps" } }), []);
    assert.deepEqual(taken("kubernetes:core/v1:Secret"), []);
  });

  it("does not stand in for what the state knows already", () => {
    const before = [{ urn: "urn", type: "kubernetes:core/v1:Service", id: "dev-apps/old" }];
    const metadata = { namespace: "dev-apps", name: "new" };
    assert.deepEqual(taken("kubernetes:core/v1:Service", { metadata }, before), [{ urn: "urn", id: "dev-apps/old" }]);
  });
});

describe("Pulumi, before a command", () => {
  let dir: string;
  let said: string[];
  const say = console.error;
  const put = (name: string, content: unknown): string => {
    const file = join(dir, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
    return file;
  };
  const lock = (name: string, holder: unknown): string =>
    put(`backend/.pulumi/locks/organization/platform/${name}`, holder);
  const asked = (): string[] => readFileSync(join(dir, "asked"), "utf8").trim().split("\n");
  const pulumi = (): Pulumi =>
    new Pulumi({ PATH: `${dir}:${process.env.PATH ?? ""}`, PULUMI_BACKEND_URL: `file://${dir}/backend` }, STACK);

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "pulumi-"));
    writeFileSync(join(dir, "pulumi"), FAKE, { mode: 0o755 });
    put("stacks", [{ name: "other" }, { name: STACK }]);
    put("state", { deployment: {} });
    said = [];
    console.error = (line: string) => said.push(line);
  });
  afterEach(() => {
    console.error = say;
    rmSync(dir, { recursive: true, force: true });
  });

  it("makes the stack where it is missing, without selecting it", async () => {
    rmSync(join(dir, "state"));
    await pulumi().prepare();
    assert.deepEqual(asked(), [
      `stack export -s ${STACK} --non-interactive`,
      `stack init ${STACK} --no-select --non-interactive`,
    ]);
  });

  it("makes none because the state cannot be read", async () => {
    put("fails", "error: the bucket does not answer");
    await assert.rejects(pulumi().prepare(), /stack export .*: error: the bucket does not answer$/);
    assert.equal(asked().length, 1);
  });

  it("makes a run end in order by its signal, before it is done", async () => {
    const end = new AbortController();
    const running = pulumi().run(["last"], end.signal);
    assert.ok(await until(() => existsSync(join(dir, "asked")), 5000, 10));
    end.abort();
    assert.equal(await running, 4);
    assert.deepEqual(asked(), ["last --non-interactive", "ended"]);
  });

  const told = (outputs: object): object => ({
    resOutputsEvent: { metadata: { type: "pulumi:pulumi:Stack", old: { outputs: {} }, new: { outputs } } },
  });
  const events = (...all: object[]): string => put("events", all.map((each) => JSON.stringify(each)).join("\n"));
  const steps = async (how?: Parameters<Pulumi["update"]>[0]): Promise<string[]> => {
    assert.equal(await pulumi().update(how), 0);
    return asked().map((line) => line.split(" ")[0] ?? "");
  };

  it("is done where a preview finds nothing to change", async () => {
    events(told({}), { summaryEvent: { resourceChanges: { same: 2 } } });
    assert.deepEqual(await steps(), ["preview"]);
  });

  it("updates without a second preview where there is something to change, be it what the stack says", async () => {
    events(told({}), { summaryEvent: { resourceChanges: { same: 2, update: 1 } } });
    assert.deepEqual(await steps(), ["preview", "up"]);
    assert.match(asked().at(-1) ?? "", / --skip-preview /);
    events(told({ image: "web:2" }), { summaryEvent: { resourceChanges: { same: 2 } } });
    assert.deepEqual((await steps()).slice(2), ["preview", "up"]);
  });

  it("updates at once what was previewed already", async () => {
    assert.deepEqual(await steps({ previewed: true, events: "log" }), ["up"]);
    assert.match(asked()[0] ?? "", / --event-log log /);
  });

  it("writes nothing where the preview fails", async () => {
    put("fails", "error: a rule is broken");
    assert.equal(await pulumi().update(), 3);
    assert.equal(asked().length, 1);
  });

  it("gives what the program gave back, with one question", async () => {
    const outputs = { endpoints: { web: "http://192.0.2.1" } };
    const resources = [{ type: "pulumi:providers:random" }, { type: "pulumi:pulumi:Stack", outputs }];
    put("state", { deployment: { resources } });
    assert.deepEqual(await pulumi().outputs(), outputs);
    put("state", {});
    assert.deepEqual(await pulumi().outputs(), {});
    assert.equal(asked().length, 2);
  });

  it("asks once where the last run ended in order", async () => {
    await pulumi().prepare();
    assert.deepEqual(asked(), [`stack export -s ${STACK} --non-interactive`]);
    assert.deepEqual(said, []);
  });

  it("asks the cluster what became of an interrupted run, and takes over what it had begun", async () => {
    const pending = (type: string, urn: string, resource: object): object => ({ type, resource: { urn, ...resource } });
    put("state", {
      deployment: {
        pending_operations: [
          pending("creating", "urn-1", {
            type: "kubernetes:core/v1:Service",
            inputs: { metadata: { namespace: "dev-apps", name: "web" } },
          }),
          pending("creating", "urn-2", { type: "random:index/randomPassword:RandomPassword" }),
          pending("updating", "urn-3", { type: "kubernetes:core/v1:Service", inputs: { metadata: { name: "x" } } }),
        ],
      },
    });
    await pulumi().prepare();
    const refresh = asked().find((line) => line.startsWith("refresh ")) ?? "";
    assert.match(refresh, new RegExp(`^refresh -s ${STACK} --yes `));
    const { deployment } = JSON.parse(readFileSync(join(dir, "imported"), "utf8")) as {
      deployment: { resources: { urn: string; id: string }[]; pending_operations: object[] };
    };
    assert.deepEqual(deployment.pending_operations, []);
    assert.deepEqual(
      deployment.resources.map(({ urn, id }) => [urn, id]),
      [["urn-1", "dev-apps/web"]],
    );
    assert.match(said.join("\n"), /interrupted in 3 operation/);
  });

  it("removes the stack's lock when its process is gone, and one that a kill cut short", async () => {
    const { pid } = spawn("true");
    const dead = lock(`${STACK}/dead.json`, { pid: pid ?? 0, hostname: hostname() });
    const cut = lock(`${STACK}/cut.json`, '{"pid": 1');
    await new Promise((done) => setTimeout(done, 50));
    await pulumi().prepare();
    assert.deepEqual([dead, cut].map(existsSync), [false, false]);
  });

  it("removes a lock whose process number belongs to something else by now", async () => {
    const reused = lock(`${STACK}/reused.json`, { pid: process.pid, hostname: hostname() });
    await pulumi().prepare();
    assert.equal(existsSync(reused), false);
  });

  it("ends the plugins of a run that was killed, and not those of one in another terminal", async () => {
    for (const name of ["pulumi-resource-fake", "login-helper"])
      writeFileSync(join(dir, name), "#!/bin/sh\nwhile :; do sleep 1; done\n", { mode: 0o755 });
    const backend = `file://${dir}/backend`;
    const env = { ...process.env, PULUMI_BACKEND_URL: backend };
    const healthy = spawn(join(dir, "pulumi"), ["start", "pulumi-resource-fake"], { env, stdio: "ignore" });
    try {
      for (const name of ["pulumi-resource-fake", "login-helper"])
        assert.equal(await pulumi().run(["start", name, "and-die"]), 0);
      const plugins = (): number[] =>
        pulumiProcesses(backend).flatMap(({ name, pid }) => (name === "pulumi-resource-fake" ? [pid] : []));
      assert.ok(await until(() => plugins().length === 2 && leftovers(backend).length >= 2, 5000, 10));
      await pulumi().prepare();
      assert.deepEqual(leftovers(backend), []);
      assert.deepEqual(
        plugins().map((pid) => ancestorsOf(pid)[0]),
        [healthy.pid],
      );
      assert.match(said.join("\n"), /nobody needs any more: .*pulumi-resource-fake \(\d+\)/);
      assert.equal(healthy.exitCode, null);
    } finally {
      for (const { pid } of pulumiProcesses(backend)) process.kill(pid, "SIGKILL");
    }
  });

  it("leaves other stacks' locks alone", async () => {
    const other = lock("other/dead.json", { pid: 2 ** 22 + 1, hostname: hostname() });
    await pulumi().prepare();
    assert.equal(existsSync(other), true);
  });

  describe("while another run holds the lock", () => {
    let holder: ChildProcess;
    afterEach(() => holder.kill("SIGKILL"));

    it("waits for it, and says for which process", async () => {
      holder = spawn(join(dir, "pulumi"), ["wait", "0.4"], { stdio: "ignore" });
      await new Promise((done) => holder.once("spawn", done));
      const held = lock(`${STACK}/held.json`, { pid: holder.pid, hostname: hostname() });
      let ended = false;
      holder.once("exit", () => (ended = true));
      await pulumi().prepare();
      assert.ok(ended, "went on beside it");
      assert.equal(existsSync(held), false);
      assert.match(said.join("\n"), new RegExp(`waiting for another run .*${STACK} \\(process ${holder.pid}\\)`));
    });
  });

  it("fails with the command and what Pulumi said", async () => {
    put("fails", "error: the passphrase is wrong\n");
    await assert.rejects(pulumi().exists(), /^Error: pulumi stack ls --json: error: the passphrase is wrong$/);
    put("fails", "");
    assert.equal(await pulumi().run(["up"]), 3);
  });
});
