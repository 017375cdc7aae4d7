import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import * as net from "node:net";
import type { Outputs } from "../../checks/stand";
import { askEdge, noneLost, underLoad } from "./load";
import {
  apply,
  broughtUp,
  canConnect,
  eventually,
  get,
  isReady,
  kubectl,
  outputs,
  run,
  shell,
  testPod,
  tryKubectl,
} from "./world";

const STACK = "dev";
const APP = "visit-tracker";
const APPS = `${STACK}-apps`;
const EDGE = `${STACK}-edge`;
/** In all, over three rollouts. */
const LOAD_SECONDS = Number(process.env.PLATFORM_TEST_LOAD_SECONDS ?? 45);

const rollout = async (namespace: string, name: string): Promise<void> => {
  await kubectl(["rollout", "restart", `deployment/${name}`, "-n", namespace]);
  await kubectl(["rollout", "status", `deployment/${name}`, "-n", namespace, "--timeout=150s"]);
};

describe("edge: https under a name, and no request lost", function () {
  this.timeout(600_000);
  let edge: Outputs["edge"];
  let host = "";

  before(async () => {
    await broughtUp();
    ({ edge } = await outputs(STACK));
    host = new URL(edge.hosts[APP] ?? "").hostname;
  });

  /** As curl does it; the answer's status, and its headers. */
  const curl = async (url: string, ...more: string[]): Promise<{ status: number; headers: string }> => {
    const { hostname, port, protocol } = new URL(url);
    const door = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}:${edge.address}`;
    const trust = (await shell()).SSL_CERT_FILE ?? "";
    const args = [
      "-sS",
      "-D",
      "-",
      "-o",
      "/dev/null",
      "--max-time",
      "10",
      "--resolve",
      door,
      "--cacert",
      trust,
      ...more,
    ];
    const { code, out, err } = await run("curl", [...args, url]);
    if (code !== 0) throw new Error(`curl ${url}: ${err}`);
    return { status: Number(/^HTTP\/[\d.]+ (\d+)/.exec(out)?.[1] ?? 0), headers: out };
  };

  it("[002.10] [001.1] [004.2] answers https under the application's host, with a certificate of the platform's authority", async () => {
    await eventually(async () => assert.equal((await curl(`https://${host}/`)).status, 200), 30_000);
    // The same, trusting nobody but the authority that the outputs name.
    assert.equal(await askEdge(edge, host, "/"), 200);
    const stranger = { ...edge, certificateAuthority: "" };
    await assert.rejects(askEdge(stranger, host, "/"), /self-signed|unable to|issuer/i);
  });

  it("is found by name from this machine", async () => assert.equal((await lookup(host)).address, edge.address));

  it("sends plain http to https", async () => {
    const { status, headers } = await curl(`http://${host}/some/path?x=1`);
    assert.equal(status, 301);
    assert.match(headers, new RegExp(`^location: https://${host.replaceAll(".", "\\.")}/some/path\\?x=1\\r?$`, "im"));
  });

  it("knows no other host, and shows nothing of itself", async () => {
    const domain = host.slice(host.indexOf("."));
    assert.equal((await curl(`https://nobody${domain}/`)).status, 404);
    for (const path of ["/ping", "/ready", "/dashboard/", "/api/rawdata"])
      assert.notEqual((await curl(`https://nobody${domain}${path}`)).status, 200, path);
    assert.equal(await connects(edge.address, 443), true);
    assert.equal(await connects(edge.address, 9000), false);
  });

  it("leaves the application's own endpoint as it is: plain http", async () => {
    const { endpoints } = await outputs(STACK);
    assert.equal((await get(endpoints[APP] ?? "")).status, 200);
  });

  it("lets a pod of another namespace find it by name, and neither through it nor past it", async () => {
    const pod = "edge-stranger";
    await apply(await testPod(pod, `${STACK}-data`));
    try {
      await isReady(pod, `${STACK}-data`);
      // The cluster's DNS takes up new names when the kubelet brings it the file.
      await eventually(async () => {
        const found = await kubectl(["exec", pod, "-n", `${STACK}-data`, "--", "nslookup", host]);
        assert.ok(found.includes(edge.address), found);
      }, 120_000);
      const places: [string, number][] = [
        [`${APP}.${APPS}.svc.cluster.local`, 80],
        [`edge.${EDGE}.svc.cluster.local`, 443],
        [`edge.${EDGE}.svc.cluster.local`, 80],
        [edge.address, 443],
      ];
      for (const [place, port] of places)
        assert.equal(await canConnect(`${STACK}-data`, pod, place, port), false, `${place}:${port}`);
    } finally {
      await tryKubectl(["delete", "pod", pod, "-n", `${STACK}-data`, "--wait=false"]);
    }
  });

  it("[004.15] may itself connect to the application, and to nothing else of the environment", async () => {
    // In the servers' place: with their labels it has their paths, without their ports none of their traffic.
    const pod = "edge-double";
    const labels = { "app.kubernetes.io/name": "edge", "app.kubernetes.io/component": "edge" };
    await apply(await testPod(pod, EDGE, { labels }));
    try {
      await isReady(pod, EDGE);
      const at = (name: string, concern: string): string => `${name}.${STACK}-${concern}.svc.cluster.local`;
      assert.equal(await canConnect(EDGE, pod, at(APP, "apps"), 80), true);
      const others: [string, number][] = [
        [at("redis", "data"), 6379],
        [at("vault", "secrets"), 8200],
        [at("registry", "registry"), 443],
      ];
      for (const [place, port] of others) assert.equal(await canConnect(EDGE, pod, place, port), false, place);
    } finally {
      await tryKubectl(["delete", "pod", pod, "-n", EDGE, "--wait=false"]);
    }
  });

  describe("under constant load", () => {
    const url = (): [Outputs["edge"], string, string] => [edge, host, "/api/healthz"];

    it("sees a request fail that does fail", async () => {
      const { failures } = await underLoad(1, [edge, `nobody${host.slice(host.indexOf("."))}`, "/"], () =>
        Promise.resolve(),
      );
      assert.ok(failures.length > 0);
    });

    it("[003.7] loses no request while the application is rolled out", async () => {
      noneLost(await underLoad(LOAD_SECONDS / 3, url(), () => rollout(APPS, APP)));
    });

    it("loses no request while the edge is rolled out", async () => {
      noneLost(await underLoad(LOAD_SECONDS / 3, url(), () => rollout(EDGE, "edge")));
    });

    it("loses no request when one of two servers of the edge is deleted", async () => {
      const status = ["rollout", "status", "deployment/edge", "-n", EDGE, "--timeout=150s"];
      const replicas = (
        await kubectl(["get", "deployment", "edge", "-n", EDGE, "-o=jsonpath={.spec.replicas}"])
      ).trim();
      await kubectl(["scale", "deployment/edge", "-n", EDGE, "--replicas=2"]);
      await kubectl(status);
      try {
        const pods = await kubectl(["get", "pods", "-n", EDGE, "-l", "app.kubernetes.io/name=edge", "-o", "name"]);
        const [first = ""] = pods.trim().split("\n");
        const remove = async (): Promise<void> => {
          await kubectl(["delete", first, "-n", EDGE, "--wait=true"]);
          await kubectl(status);
        };
        noneLost(await underLoad(LOAD_SECONDS / 3, url(), remove));
      } finally {
        await kubectl(["scale", "deployment/edge", "-n", EDGE, `--replicas=${replicas}`]);
      }
    });
  });
});

/** Whether a TCP connection from this machine comes about within three seconds. */
function connects(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect({ host, port, timeout: 3000 });
    const end = (connected: boolean): void => {
      socket.destroy();
      done(connected);
    };
    socket.on("connect", () => end(true));
    socket.on("timeout", () => end(false));
    socket.on("error", () => end(false));
  });
}
