import type { LockedImage } from "./lock";
import type { Assembly } from "./recipes/context";
import { MEDIA, type Descriptor, type OciStore, type StoredRef } from "./store";

const EPOCH = "1970-01-01T00:00:00Z";
const ARCHITECTURES: Record<string, string> = { x64: "amd64", arm64: "arm64" };

/** The name images give this machine's processor. */
export function imageArchitecture(processor: string = process.arch): string {
  const architecture = ARCHITECTURES[processor];
  if (architecture) return architecture;
  const known = Object.keys(ARCHITECTURES).join(" or ");
  throw new Error(`images cannot be built on processor "${processor}": use a machine with ${known}`);
}

/** Writes an assembled image into the store: layers, config, manifest, and last the tag that names them. */
export async function storeImage(
  store: OciStore,
  image: LockedImage,
  assembly: Assembly,
  recipe: string,
): Promise<StoredRef> {
  const layers = [...assembly.below, await store.putLayer(assembly.layer)];
  const config = await store.putJson(MEDIA.config, {
    created: EPOCH,
    architecture: imageArchitecture(),
    os: "linux",
    config: containerConfig(image, assembly),
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created: EPOCH, created_by: "toolchain/images" })),
  });
  const manifest = await store.putJson(MEDIA.manifest, {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config,
    layers: layers.map(({ mediaType, digest, size }): Descriptor => ({ mediaType, digest, size })),
  });
  const { repository, tag } = image;
  const ref = { repository, tag, digest: manifest.digest, mediaType: manifest.mediaType, recipe };
  const stored = { ...ref, inputs: sorted(assembly.inputs), layers };
  await store.writeRef(stored);
  return stored;
}

function containerConfig(image: LockedImage, assembly: Assembly): Record<string, unknown> {
  const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...assembly.environment };
  const { user, entrypoint, command, workdir } = image.run;
  return {
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...(user !== undefined && { User: user }),
    ...(entrypoint && { Entrypoint: entrypoint }),
    ...(command && { Cmd: command }),
    WorkingDir: workdir ?? "/",
    Labels: { "org.opencontainers.image.title": image.title, "org.opencontainers.image.version": image.tag },
  };
}

function sorted(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}
