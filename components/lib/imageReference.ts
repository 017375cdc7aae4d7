/** An image by digest: `host/repository:tag@sha256:…`. The tag names it for people and keeps it from garbage collection. */
export interface ImageReference {
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const REFERENCE = /^([^/@]+)\/([^:@]+):([\w][\w.-]{0,127})@(sha256:[0-9a-f]{64})$/;

export function parseReference(text: string): ImageReference {
  const [, host, repository, tag, digest] = REFERENCE.exec(text) ?? [];
  if (!host || !repository || !tag || !digest)
    throw new Error(`"${text}" is no image by digest: expected host/repository:tag@sha256:… (64 hexadecimal digits)`);
  return { host, repository, tag, digest };
}

export const formatReference = ({ host, repository, tag, digest }: ImageReference): string =>
  `${host}/${repository}:${tag}@${digest}`;
