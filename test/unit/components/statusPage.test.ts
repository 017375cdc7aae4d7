import assert from "node:assert/strict";
import type { AppConfig } from "../../../components/lib/appConfig";
import type { Target } from "../../../components/lib/target";
import { type WantedStatus, wantedStatus } from "../../../components/statusPage";
import { type Raw, parse, sound } from "./rawConfig";
import { type Fields, type Recording, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

const TARGET = { edges: { qa: { ports: { http: 8080, https: 8443 } } } } as unknown as Target;
const PAGE = { source: "apps/status-page", environments: ["dev", "qa"], interval: "1m" };

/** The environment's neighbours are those of the project's own stack files. */
const wanted = (change: Raw = {}): WantedStatus => {
  const apps = { web: { source: "apps/web", port: 3000, host: "web" }, worker: { source: "apps/worker", port: 3000 } };
  return wantedStatus("dev", parse({ ...sound, apps, status: PAGE, ...change }), TARGET);
};

describe("the status page", () => {
  let recording: Recording;
  let settings: Record<string, string>;
  before(async () => {
    recording = await record(() => {
      const scene = new Scene();
      const home = scene.environment("dev", { concerns: ["apps", "status"] });
      const { place, apps } = wanted();
      const { port, host, replicas } = apps["status-page"] as AppConfig;
      const placed = place(home, scene.registry(), "authority of the tests")["status-page"];
      const args = { port, host, replicas, ...placed };
      scene.app("status-page", { ...args, edge: scene.edge() });
    });
    const env = field(one(recording, "Deployment", "status-page-server"), "spec.template.spec.containers.0.env");
    settings = Object.fromEntries((env as { name: string; value: string }[]).map(({ name, value }) => [name, value]));
  });

  it("is one more application, built like the others, with a namespace of its own", () => {
    const { apps, concerns } = wanted();
    assert.deepEqual(Object.keys(apps), ["web", "worker", "status-page"]);
    const { source, from, host, replicas } = apps["status-page"] as unknown as Fields;
    assert.deepEqual([source, from, host, replicas], ["apps/status-page", undefined, "status", 1]);
    assert.deepEqual(concerns, ["status"]);
    for (const kind of ["Deployment", "Service", "HTTPRoute", "PersistentVolumeClaim"])
      assert.equal(
        field(
          one(
            recording,
            kind,
            names(recording, kind).find((each) => /^status-page-/.test(each)),
          ),
          "metadata.namespace",
        ),
        "dev-status",
        kind,
      );
  });

  it("runs elsewhere what an earlier stage recorded", () => {
    const apps = { web: { from: "qa", port: 3000 } };
    const status = { from: "dev", environments: ["dev"] };
    const page = wanted({ build: false, apps, status }).apps["status-page"];
    assert.deepEqual([page?.source, page?.from], [undefined, "dev"]);
  });

  it("asks the applications that have a host whether they are ready, by that name, at the edges inside the cluster", () => {
    const asked = JSON.parse(settings.STATUS_ENDPOINTS ?? "") as Fields[];
    assert.deepEqual(asked[0], {
      environment: "dev",
      name: "web",
      url: "https://web.dev.example/readyz",
      connect: "edge.dev-edge.svc.cluster.local.:443",
    });
    const others = asked.slice(1);
    assert.ok(others.length > 0);
    for (const { environment, url, connect } of others) {
      assert.equal(environment, "qa");
      assert.match(String(url), /^https:\/\/[a-z-]+\.qa\.platform\.test:8443(\/api)?\/readyz$/);
      assert.equal(connect, "edge.qa-edge.svc.cluster.local.:8443");
    }
  });

  it("trusts the platform's authority only, and keeps its history on its volume", () => {
    assert.equal(settings.STATUS_CA, "authority of the tests");
    assert.equal(settings.STATUS_FILE, "/data/history.json");
    assert.equal(settings.STATUS_INTERVAL, "60");
  });

  it("reaches these edges and nothing else, and is reached by its own", () => {
    const own = names(recording, "NetworkPolicy").filter((name) => name.startsWith("status-page-"));
    assert.deepEqual(own.sort(), [
      "status-page-edge-to-status-page-egress",
      "status-page-edge-to-status-page-ingress",
      "status-page-to-dev-edge-egress",
      "status-page-to-qa-edge-egress",
    ]);
    const to = (name: string): unknown => {
      const path = "spec.egress.0.to.0.namespaceSelector.matchLabels";
      return field(one(recording, "NetworkPolicy", name), path);
    };
    assert.deepEqual(to("status-page-to-qa-edge-egress"), { "kubernetes.io/metadata.name": "qa-edge" });
  });

  it("is not there where nobody asks for it, and others may watch all the same", () => {
    const none = wanted({ status: {} });
    assert.deepEqual([none.concerns, Object.keys(none.apps)], [[], ["web", "worker"]]);
    assert.deepEqual(none.place(undefined as never, undefined as never, ""), {});
    assert.deepEqual(wantedStatus("qa", parse({ ...sound, status: {} }, "qa"), TARGET).watchers, ["dev"]);
  });
});
