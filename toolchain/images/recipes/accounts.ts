import type { Layer } from "../layer";

/**
 * /etc/passwd and /etc/group with root, nobody and the given users, each with a group of its own number. Programs look
 * themselves up there, and a number without a name confuses some of them.
 */
export function addAccounts(layer: Layer, users: Record<string, number>): void {
  const accounts = { root: 0, ...users, nobody: 65534 };
  const home = (name: string): string => (name === "root" ? "/root" : "/");
  const passwd = Object.entries(accounts).map(
    ([name, id]) => `${name}:x:${id}:${id}:${name}:${home(name)}:/sbin/nologin\n`,
  );
  const groups = Object.entries(accounts).map(([name, id]) => `${name}:x:${id}:\n`);
  layer.file("/etc/passwd", passwd.join("")).file("/etc/group", groups.join(""));
  layer.directory("/tmp", { mode: 0o1777 });
}
