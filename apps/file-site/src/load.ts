import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { picture } from "./gif";
import { log } from "./log";
import { storeSettings } from "./settings";
import { Store, Unavailable, codeOf } from "./store";

const KEY = "picture.gif";
const TYPE = "image/gif";
const PATIENCE_MS = 90_000;

/** Puts the picture into the bucket, unless the very same is there. Says whether it did. */
export async function load(store: Store, content: Buffer = picture()): Promise<boolean> {
  const hash = createHash("sha256").update(content).digest("hex");
  if (await isThere(store, content, hash)) return false;
  const headers = { "content-type": TYPE, "x-amz-meta-sha256": hash };
  const response = await store.ask({ method: "PUT", key: KEY, headers, body: content, hash });
  const code = await codeOf(response);
  if (response.statusCode !== 200) throw new Unavailable(`the store does not take it: ${response.statusCode} ${code}`);
  if (!(await isThere(store, content, hash))) throw new Unavailable("the store took it and has something else");
  return true;
}

/** Goes by what is in the bucket, and not by what was said of it when it was put there. */
async function isThere(store: Store, content: Buffer, hash: string): Promise<boolean> {
  const response = await store.ask({ method: "GET", key: KEY });
  if (response.statusCode !== 200) {
    const code = await codeOf(response);
    if (code === "NoSuchKey") return false;
    throw new Unavailable(`the store does not say whether it is there: ${response.statusCode} ${code}`);
  }
  const found = createHash("sha256");
  for await (const part of response) found.update(part as Buffer);
  const { "content-type": type, "content-length": length } = response.headers;
  return type === TYPE && Number(length) === content.length && found.digest("hex") === hash;
}

async function main(): Promise<void> {
  const store = new Store(storeSettings(process.env));
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(2000)) {
    try {
      const loaded = await load(store);
      log("info", loaded ? `${KEY} is loaded` : `${KEY} was there already`);
      store.close();
      return;
    } catch (error) {
      if (!(error instanceof Unavailable) || Date.now() > end) throw error;
      log("error", error.message);
    }
  }
}

if (require.main === module)
  main().catch((error: Error) => {
    log("error", `not loaded: ${error.message}`);
    process.exit(1);
  });
