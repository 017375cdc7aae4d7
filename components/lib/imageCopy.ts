import type { ImageReference } from "./imageReference";
import { type Blob, INDEX_TYPES, type RegistryClient } from "./registryClient";

interface Descriptor extends Blob {
  readonly mediaType?: string;
}

interface ManifestBody {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/**
 * Brings an image from one registry to another, byte for byte: every manifest keeps its digest, an index brings all that it
 * names. What is there already stays, so that an interrupted copy goes on where it was. The tag comes last, when everything
 * below it is there.
 */
export const copyImage = (
  source: RegistryClient,
  target: RegistryClient,
  { repository, tag, digest }: ImageReference,
): Promise<void> => copyManifest(source, target, repository, digest, tag);

async function copyManifest(
  source: RegistryClient,
  target: RegistryClient,
  repository: string,
  digest: string,
  name: string,
): Promise<void> {
  const manifest = await source.manifest(repository, digest);
  const body = JSON.parse(manifest.bytes.toString("utf8")) as ManifestBody;
  if (INDEX_TYPES.includes(manifest.type))
    for (const child of body.manifests ?? [])
      await copyManifest(source, target, repository, child.digest, child.digest);
  const blobs = [...(body.config ? [body.config] : []), ...(body.layers ?? [])].filter(isHere);
  await Promise.all(
    [...new Map(blobs.map((blob) => [blob.digest, blob])).values()].map(async (blob) => {
      if (!(await target.hasBlob(repository, blob.digest))) await target.copyBlob(source, repository, blob);
    }),
  );
  await target.putManifest(repository, name, manifest);
}

/** Foreign layers are fetched from their vendor; no registry holds them. */
const isHere = ({ mediaType = "" }: Descriptor): boolean => !/foreign|nondistributable/.test(mediaType);
