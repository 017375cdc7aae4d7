import type { LockItem } from "./lock";

/** Part of the key of every item with definitions: raised when the code makes other files from the same ones. */
export const DEFINITIONS_FORMAT = 1;
/** Where an item's stage holds upstream's files until they are made lean. */
export const UPSTREAM = "share/upstream";

/** Both ways to an item's definitions bring the same bytes, so one committed sum per file serves both. */
export function withOrigins(item: LockItem): LockItem {
  if (!item.definitions) return item;
  const { module, directory, repository, files } = item.definitions;
  return {
    ...item,
    download: {
      diskMB: 10,
      files: Object.entries(files).map(([name, sum]) => ({
        url: `https://raw.githubusercontent.com/${repository}/v\${version}/${directory}/${name}`,
        sha256: { any: sum },
        install: [{ to: `${UPSTREAM}/${name}` }],
      })),
    },
    source: { kind: "module", module, version: `v${item.version}`, directory, files, diskGB: 0.5 },
  };
}
