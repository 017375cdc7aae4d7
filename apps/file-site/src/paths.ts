const LONGEST = 1024;
/** Where a folder's own page is. */
const INDEX = "index.html";

/** The name of the object that a path means; undefined where it can be none. */
export function keyOf(path: string): string | undefined {
  let key: string;
  try {
    key = decodeURIComponent(path.slice(1));
  } catch {
    return undefined;
  }
  if (key === "" || key.endsWith("/")) key += INDEX;
  const parts = key.split("/");
  const strange = parts.some((part) => part === "" || part === "." || part === "..");
  return strange || /[\u0000-\u001f\u007f\\]/.test(key) || Buffer.byteLength(key) > LONGEST ? undefined : key;
}
