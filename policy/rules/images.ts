import { type Fault, faultAt } from "./finding";
import { elements, into, type Located, type Manifest, UNKNOWN } from "./manifest";
import type { Options } from "./options";
import { allContainers, podTemplates } from "./podTemplate";

interface Image extends Located {
  readonly container: string | undefined;
}

/** Of containers, and of volumes that are images. */
function images(manifest: Manifest): Image[] {
  return podTemplates(manifest).flatMap((template) => [
    ...allContainers(template).map((container) => ({ ...into(container, "image"), container: container.name })),
    ...elements(into(template.spec, "volumes"))
      .map((volume) => into(volume, "image", "reference"))
      .filter(({ value }) => value !== undefined && value !== UNKNOWN)
      .map((image) => ({ ...image, container: undefined })),
  ]);
}

export const DIGEST = /@sha256:[0-9a-f]{64}$/;
const tagOf = (reference: string): string | undefined => /:([^:/@]+)$/.exec(reference.split("@")[0] ?? "")?.[1];
export const FLOATING = ["latest", "stable", "edge", "nightly", "master", "main"];

export function imageTag(manifest: Manifest): Fault[] {
  return images(manifest).flatMap(({ container, ...image }) => {
    const { value } = image;
    const words = {
      container,
      allowed: "a version, by digest",
      fix: "name the version and its digest: name:1.2.3@sha256:…",
    };
    if (value === UNKNOWN) return [];
    if (typeof value !== "string" || value === "") return [faultAt(image, words)];
    const tag = tagOf(value);
    if (tag === undefined ? DIGEST.test(value) : !FLOATING.includes(tag)) return [];
    // With a digest, a floating tag misleads the reader alone.
    const found = tag === undefined ? "names no tag, which means latest" : `floats: ${tag} is another image tomorrow`;
    return [
      {
        ...faultAt(image, { ...words, found: `(${JSON.stringify(value)}) ${found}` }),
        ...(DIGEST.test(value) ? { soft: true } : {}),
      },
    ];
  });
}

export function imageDigest(manifest: Manifest): Fault[] {
  return images(manifest).flatMap(({ container, ...image }) => {
    const { value } = image;
    if (value !== UNKNOWN && (typeof value !== "string" || DIGEST.test(value))) return [];
    // The rule above has spoken of it.
    if (typeof value === "string" && FLOATING.includes(tagOf(value) ?? "latest")) return [];
    const found = `(${JSON.stringify(value)}) is by tag, which can be moved`;
    return [
      faultAt(image, {
        container,
        found,
        allowed: "a reference that ends in @sha256: and 64 digits",
        fix: "append the digest",
      }),
    ];
  });
}

/** As container runtimes read short names. */
function whole(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  if (rest.length === 0) return `docker.io/library/${reference}`;
  return first.includes(".") || first.includes(":") || first === "localhost" ? reference : `docker.io/${reference}`;
}

export function imageOrigin(manifest: Manifest, { imagesFrom }: Options): Fault[] {
  if (imagesFrom.length === 0) return [];
  return images(manifest).flatMap(({ container, ...image }) => {
    const { value } = image;
    if (value !== UNKNOWN && typeof value !== "string") return [];
    if (
      typeof value === "string" &&
      imagesFrom.some((start) => [value, whole(value)].some((each) => each.startsWith(start)))
    )
      return [];
    const allowed = `an image of ${imagesFrom.join(", ")}`;
    return [faultAt(image, { container, allowed, fix: "copy it there, or add its origin to imagesFrom" })];
  });
}
