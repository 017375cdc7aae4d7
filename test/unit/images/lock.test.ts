import assert from "node:assert/strict";
import { readLock } from "../../../toolchain/lock";
import { buildableImage, imageLock, upstreamReference } from "../../../toolchain/images/lock";
import { sourceLines } from "../../../toolchain/images/recipes/debianBase";
import { upstreamVersion } from "../../../toolchain/images/recipes/debianFiles";
import { repositoryPath } from "../../../toolchain/images/store";

describe("the lock of images", () => {
  const items = readLock().items;

  for (const [name, image] of Object.entries(imageLock)) {
    it(`names ${name} fully`, () => {
      for (const { repository, tag, digest } of [image, image.upstream]) {
        assert.match(repository, /^[a-z0-9.-]+\.[a-z]+\/[a-z0-9/_-]+$/);
        assert.match(tag, /^[\w][\w.-]*$/);
        if (digest !== undefined) assert.match(digest, /^sha256:[0-9a-f]{64}$/);
      }
      const { recipe } = image;
      if (!recipe) assert.match(image.upstream.digest ?? "", /^sha256:/, "what is never built is known by digest");
      if (recipe?.kind === "binary") {
        const provided = items[recipe.item]?.provides ?? [];
        for (const binary of Object.values(recipe.files))
          assert.ok(provided.includes(binary), `${recipe.item} has ${binary}`);
        assert.ok(
          image.tag.endsWith(items[recipe.item]?.version.replace(/^v/, "") ?? "?"),
          "tag and item differ in version",
        );
      }
      if (recipe?.kind === "node") {
        assert.equal(imageLock[recipe.base]?.recipe?.kind, "debian-base");
        for (const integrity of Object.values(recipe.integrity)) assert.match(integrity, /^sha512-.{86}==$/);
      }
    });

    // Base images keep the users their official namesakes have, and what is not built the one that its pod names.
    if (!image.recipe || image.recipe.kind === "debian-base" || image.recipe.kind === "node") continue;
    it(`runs ${name} as a numeric user other than root`, () =>
      assert.match(image.run.user ?? "", /^[1-9]\d*:[1-9]\d*$/));
  }

  it("refers to official images by digest where it knows one", () => {
    assert.match(upstreamReference("pause"), /^registry\.k8s\.io\/pause:3\.10@sha256:/);
    assert.equal(upstreamReference("redis"), "docker.io/library/redis:7.0.15");
    assert.throws(() => upstreamReference("toString"), /no image "toString"/);
  });

  it("says of an image without a recipe where it is to be had", () => {
    assert.equal(buildableImage("redis").recipe.kind, "debian-files");
    assert.throws(
      () => buildableImage("grafana"),
      /^Error: image "grafana" cannot be built here.*\(docker\.io\/grafana\/grafana:/,
    );
  });
});

describe("names and versions of images", () => {
  it("leaves the registry's host out of a path", () => {
    assert.equal(repositoryPath("docker.io/library/node"), "library/node");
    assert.equal(repositoryPath("localhost:5000/a/b"), "a/b");
    assert.equal(repositoryPath("library/node"), "library/node");
  });

  it("takes Debian's additions off a version", () => {
    assert.equal(upstreamVersion("5:7.0.15-1~deb12u10"), "7.0.15");
    assert.equal(upstreamVersion("1:1.35.0-4+deb12u1+b1"), "1.35.0");
    assert.equal(upstreamVersion("1.6.20~ds1-1+deb12u3"), "1.6.20");
    assert.equal(upstreamVersion("20.10.24+dfsg1-1"), "20.10.24");
  });

  it("takes only Debian's own archives of the suite, each once", () => {
    const targets = [
      "Debian|bookworm-security|main|http://mirror.example/debian-security/",
      "Debian|bookworm|main|http://mirror.example/debian/",
      "Debian|bookworm|main|http://mirror.example/debian/",
      "Debian|trixie|main|http://mirror.example/debian/",
      "Debian|bookworm|contrib|http://mirror.example/debian/",
      "Somebody|bookworm|main|http://other.example/",
      "",
    ];
    assert.deepEqual(sourceLines(targets.join("\n"), "bookworm"), [
      "deb http://mirror.example/debian-security/ bookworm-security main",
      "deb http://mirror.example/debian/ bookworm main",
    ]);
  });
});
