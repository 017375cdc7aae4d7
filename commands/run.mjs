// The way into every command: installs the packages where package-lock.json asks for others than are there, then runs
// commands/NAME.ts. Plain JavaScript, because it is what runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const [command, ...args] = process.argv.slice(2);

const major = Number(process.versions.node.split(".")[0]);
if (major < 20) {
  console.error(`error: Node ${process.versions.node} is too old: install Node 20 or newer`);
  process.exit(1);
}

const wanted = createHash("sha256")
  .update(fs.readFileSync(path.join(root, "package-lock.json")))
  .digest("hex");
const stamp = path.join(root, "node_modules", ".platform-lock");
const installed = fs.existsSync(stamp) ? fs.readFileSync(stamp, "utf8") : "";
if (installed !== wanted) {
  const packages = path.join(root, "node_modules");
  // npm would empty the folder that it leads to, which others may be running from.
  if (fs.lstatSync(packages, { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error(
      `error: ${packages} leads to ${fs.realpathSync(packages)}, which was not installed for this package-lock.json: run a command of the platform there, or remove the link`,
    );
    process.exit(1);
  }
  console.error("installing packages (npm ci) …");
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (result.status !== 0) {
    console.error("error: npm ci failed (above). Is the npm registry reachable? Run it by hand to see more.");
    process.exit(1);
  }
  fs.writeFileSync(stamp, wanted);
}

const script = path.join(root, "commands", `${command}.ts`);
const child = spawnSync(
  process.execPath,
  ["--require", path.join(root, "node_modules", "tsx", "dist", "cjs", "index.cjs"), script, ...args],
  {
    stdio: "inherit",
    cwd: root,
  },
);
process.exit(child.status ?? 1);
