import assert from "node:assert/strict";
import { planReleases } from "../../../components/lib/promotion";
import type { RegistryReader } from "../../../components/lib/registryAccess";
import type { RegistryClient } from "../../../components/lib/registryClient";
import { type Orders, NO_ORDERS } from "../../../components/lib/releases/orders";
import { record } from "./recorder";

const DIGEST = `sha256:${"1".repeat(64)}`;
const IMAGE = `registry.dev.example/web:1@${DIGEST}`;
const SINCE = "2026-01-01T00:00:00Z";
const release = (image: string, more: object = {}): object => {
  const [, tag, digest] = /:([^:@]+)@(.*)$/.exec(image) ?? [];
  return { image, tag, digest, version: "1.0.0", healthySince: SINCE, ...more };
};
const RELEASES = { releases: { web: release(IMAGE) } };

type Has = boolean | Error;

/** Registries by environment: whether each has the image; none where no login for it is known. */
const registries =
  (has: Record<string, Has>, asked: string[] = []): RegistryReader =>
  (environment) => {
    const found = has[environment];
    const digestOf = (repository: string, digest: string): Promise<string | undefined> => {
      asked.push(environment);
      assert.deepEqual([repository, digest], ["web", DIGEST]);
      return found instanceof Error ? Promise.reject(found) : Promise.resolve(found ? DIGEST : undefined);
    };
    return Promise.resolve(found === undefined ? undefined : ({ digestOf } as unknown as RegistryClient));
  };

interface Found {
  readonly images?: Record<string, string>;
  readonly refusal?: string;
}

interface Options {
  readonly preview?: boolean;
  readonly own?: object;
  readonly orders?: Partial<Orders>;
  readonly soak?: string;
  readonly now?: string;
}

const WEB = { port: 3000, redis: false, expose: false, metrics: false, from: "dev" };

/** Asks for the image of "web" in `qa` while the stack `dev` has these outputs, and `qa` itself those of its last update. */
async function promoted(
  outputs: object | Error,
  registry = registries({ dev: true }),
  { preview = false, own = {}, orders = {}, soak, now = SINCE }: Options = {},
): Promise<Found> {
  const found: { images?: Record<string, string>; refusal?: string } = {};
  const { resources } = await record(
    async () => {
      await planReleases("qa", {
        apps: { web: WEB },
        soak,
        registry,
        baseImages: {},
        orders: { ...NO_ORDERS, ...orders },
        now: new Date(now),
      }).then(
        (plan) =>
          (found.images = Object.fromEntries(
            Object.entries(plan).flatMap(([app, { image }]) => (image ? [[app, image]] : [])),
          )),
        (error: Error) => (found.refusal = error.message),
      );
    },
    {
      stack: "qa",
      preview,
      call: ({ token, inputs }) => {
        assert.equal(token, "pulumi:pulumi:readStackOutputs");
        const { name } = inputs as { name: string };
        if (name === "organization/platform/qa") return { name, outputs: own };
        assert.equal(name, "organization/platform/dev");
        // The engine says its reason in the details of the call's failure.
        if (outputs instanceof Error) throw Object.assign(outputs, { details: outputs.message });
        return { name: "dev", outputs };
      },
    },
  );
  assert.equal(resources.length, 1, "only the stack itself: nothing of the other lies in this stack's state");
  return found;
}

describe("the images of an earlier stage", () => {
  it("are the ones that the stage recorded, once they are seen in its registry", async () => {
    const asked: string[] = [];
    assert.deepEqual(await promoted(RELEASES, registries({ dev: true }, asked)), { images: { web: IMAGE } });
    assert.ok(asked.includes("dev"));
  });

  it("need no source where they are in this environment's registry already", async () => {
    for (const dev of [undefined, false, new Error("down")])
      assert.deepEqual(await promoted(RELEASES, registries({ qa: true, ...(dev === undefined ? {} : { dev }) })), {
        images: { web: IMAGE },
      });
    const down = { qa: new Error("own registry is down"), dev: true };
    assert.deepEqual(await promoted(RELEASES, registries(down)), { images: { web: IMAGE } });
  });

  it("stay what they are where that stage is gone", async () => {
    const own = { releases: { web: { ...release(IMAGE), image: `registry.qa.example/web:1@${DIGEST}` } } };
    const kept = await promoted(gone, registries({ qa: new Error("slow") }), { own });
    assert.deepEqual(kept, { images: { web: own.releases.web.image } });
  });

  const gone = new Error('invocation of pulumi:pulumi:readStackOutputs returned an error: unknown stack "dev"');
  const refusals: Record<string, { outputs?: object; has?: Record<string, Has>; refusal: RegExp }> = {
    "the stage never ran": {
      outputs: gone,
      refusal: /^stack dev has recorded no image of "web": run npm run up -- --stack dev first$/,
    },
    "the stage recorded nothing": { outputs: {}, refusal: /has recorded no image of "web"/ },
    "the stage recorded others only": {
      outputs: { releases: { other: release(IMAGE) } },
      refusal: /has recorded no image of "web"/,
    },
    "its state cannot be read": {
      outputs: new Error("incorrect passphrase"),
      refusal: /^what stack dev recorded cannot be read: .*incorrect passphrase$/,
    },
    "what it recorded is no digest": {
      outputs: { releases: { web: { ...release(IMAGE), image: "registry.dev.example/web:latest" } } },
      refusal: /^"registry\.dev\.example\/web:latest" is no image by digest/,
    },
    "the image is gone from its registry": {
      has: { dev: false, qa: false },
      refusal: /^stack dev recorded registry\.dev\.example.*, which its registry has no more: .* pushes it again$/,
    },
    "the registry cannot be reached": {
      has: { dev: new Error("the registry 192.0.2.1 cannot be reached: …") },
      refusal: /^the registry 192\.0\.2\.1 cannot be reached/,
    },
    "no login is known": {
      has: {},
      refusal:
        /^no login for the registry of dev .* Secret regcred in dev-registry.* set PLATFORM_REGISTRY_DEV_USER and /,
    },
  };

  for (const [why, { outputs = RELEASES, has = { dev: true }, refusal }] of Object.entries(refusals)) {
    it(`are refused where ${why}, by an update`, async () => {
      const found = await promoted(outputs, registries(has));
      assert.match(found.refusal ?? "", refusal);
    });
  }

  it("are left open by a preview where there are none yet, and shown where they are in no registry", async () => {
    assert.deepEqual(await promoted({}, registries({}), { preview: true }), { images: {} });
    assert.deepEqual(await promoted(RELEASES, registries({ dev: false }), { preview: true }), {
      images: { web: IMAGE },
    });
  });

  const OLD = `registry.qa.example/web:0@sha256:${"0".repeat(64)}`;
  const running = (version: string): object => ({ releases: { web: release(OLD, { version }) } });

  it("are refused where a higher version runs, with both named, unless somebody says why", async () => {
    const own = running("1.1.0");
    const { refusal } = await promoted(RELEASES, registries({ dev: true }), { own });
    assert.match(
      refusal ?? "",
      /^web 1\.0\.0 \(sha256:1{12}\) is lower than 1\.1\.0 \(sha256:0{12}\), which runs in qa: .*--allow-lower web=REASON$/,
    );
    const orders = { allowLower: { web: "1.1.0 loses notes" } };
    assert.deepEqual(await promoted(RELEASES, registries({ dev: true }), { own, orders }), { images: { web: IMAGE } });
  });

  it("are warned of by a preview, and refused by one that is asked to check", async () => {
    const own = running("1.1.0");
    const has = registries({ dev: true });
    assert.deepEqual(await promoted(RELEASES, has, { own, preview: true }), { images: { web: IMAGE } });
    const checked = await promoted(RELEASES, has, { own, preview: true, orders: { check: true } });
    assert.match(checked.refusal ?? "", /is lower than/);
  });

  it("are all refused at once, each with its reason", async () => {
    const { refusal = "" } = await promoted(RELEASES, registries({ dev: false, qa: false }), { own: running("2.0.0") });
    assert.match(refusal, /^web 1\.0\.0 .* is lower than .*\nstack dev recorded .*, which its registry has no more/);
  });

  it("wait until the stage before has run them long enough", async () => {
    const has = registries({ dev: true });
    const young = await promoted(RELEASES, has, { soak: "10m", now: "2026-01-01T00:09:59Z" });
    assert.match(
      young.refusal ?? "",
      /prod|qa takes what was healthy there for 10m .* try again after 2026-01-01T00:10:00Z/,
    );
    assert.deepEqual(await promoted(RELEASES, has, { soak: "10m", now: "2026-01-01T00:10:00Z" }), {
      images: { web: IMAGE },
    });
  });

  it("are held back where they were rejected, for what was good before, until somebody tries them again", async () => {
    const own = {
      history: {
        web: {
          good: [release(OLD, { version: "0.9.0" })],
          rejected: [{ image: IMAGE, reason: "it crashed", at: SINCE }],
        },
      },
    };
    const has: RegistryReader = () =>
      Promise.resolve({
        digestOf: (_: string, digest: string) => Promise.resolve(digest),
      } as unknown as RegistryClient);
    assert.deepEqual(await promoted(RELEASES, has, { own }), { images: { web: OLD } });
    assert.deepEqual(await promoted(RELEASES, has, { own, orders: { retry: ["web"] } }), { images: { web: IMAGE } });
  });

  it("are left alone by an update of the platform, which makes no application that never ran", async () => {
    const orders = { infra: true };
    assert.deepEqual(await promoted(RELEASES, registries({ dev: true }), { orders }), { images: {} });
    const own = { releases: { web: { ...release(IMAGE), image: `registry.qa.example/web:1@${DIGEST}` } } };
    assert.deepEqual(await promoted(RELEASES, registries({ qa: true }), { orders, own }), {
      images: { web: own.releases.web.image },
    });
  });
});
