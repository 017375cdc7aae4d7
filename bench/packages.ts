import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { runLogged } from "../toolchain/command";
import { cacheAt, defaultCacheRoot, emptyDirectory } from "../toolchain/cache";
import { exclusively } from "../toolchain/exclusive";

/** The npm packages of a contender's program, installed once for each lock file; resolves to the folder with node_modules. */
export async function packages(program: string, say: (line: string) => void): Promise<string> {
  const source = path.join(__dirname, "programs", program);
  const cache = cacheAt(defaultCacheRoot());
  const lock = fs.readFileSync(path.join(source, "package-lock.json"));
  const key = `bench-${program}-${createHash("sha256").update(lock).digest("hex").slice(0, 12)}`;
  const target = path.join(cache.root, "bench", key);
  await exclusively(path.join(cache.locks, key), async () => {
    if (fs.existsSync(target)) return;
    say(`installing the npm packages of ${program} …`);
    const stage = emptyDirectory(cache, "bench", key);
    for (const name of ["package.json", "package-lock.json"])
      fs.copyFileSync(path.join(source, name), path.join(stage, name));
    const log = path.join(cache.log, `${key}.log`);
    fs.mkdirSync(cache.log, { recursive: true });
    await runLogged(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: stage, log });
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.renameSync(stage, target);
  });
  return target;
}
