import * as fs from "node:fs";
import * as path from "node:path";
import { emptyDirectory } from "./cache";
import { expectedChecksum } from "./checksums";
import { runLogged } from "./command";
import { fetchVerified } from "./download";
import type { Download, DownloadFile } from "./lock";
import type { Making } from "./making";
import { fillTemplate } from "./platform";
import { unzip } from "./zip";

/** Fetches an item's official files, checks them and puts what it needs of them into the stage. */
export async function makeFromDownload(download: Download, making: Making): Promise<void> {
  const { settings, item, note } = making;
  const version = download.version ?? item.version;
  const sources: unknown[] = [];
  const fetched: string[] = [];
  for (const file of download.files) {
    const url = fillTemplate(file.url, version, settings.platform);
    const expected = await expectedChecksum(file, version, settings.platform, settings.downloadOrigin);
    const local = await fetchVerified({
      url,
      origin: settings.downloadOrigin,
      expected,
      retryPauseMs: settings.retryPauseMs,
      directory: path.join(settings.cache.build, "downloads"),
      note: (text) => note(`${path.posix.basename(url)} ${text}`),
    });
    await install(file, url, local, version, making);
    sources.push({ url, [expected.algorithm]: expected.value, checksumFrom: expected.from });
    fetched.push(local);
  }
  making.facts["files"] = sources;
  for (const local of fetched) fs.rmSync(local, { force: true });
}

async function install(file: DownloadFile, url: string, local: string, version: string, making: Making): Promise<void> {
  const fill = (text: string): string => fillTemplate(text, version, making.settings.platform);
  if (file.install.every(({ from }) => from === undefined)) {
    for (const { to } of file.install) place(local, path.join(making.stage, fill(to)));
    return;
  }
  const unpacked = emptyDirectory(making.settings.cache, "unpack", making.name);
  if (url.endsWith(".zip")) unzip(local, unpacked);
  else await runLogged(["tar", "-x", "--no-same-owner", "-f", local, "-C", unpacked], { log: making.log });
  for (const { from = "", to } of file.install) {
    const source = path.join(unpacked, fill(from));
    if (!fs.existsSync(source)) throw new Error(`${url}: holds no ${fill(from)}`);
    if (!from.endsWith("/")) place(source, path.join(making.stage, fill(to)));
    else
      for (const name of fs.readdirSync(source))
        place(path.join(source, name), path.join(making.stage, fill(to), name));
  }
  fs.rmSync(unpacked, { recursive: true, force: true });
}

function place(from: string, to: string): void {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  if (path.basename(path.dirname(to)) === "bin" && fs.statSync(to).isFile()) fs.chmodSync(to, 0o755);
}
