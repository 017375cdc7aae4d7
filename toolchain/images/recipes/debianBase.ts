import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { runLogged } from "../../command";
import { Layer } from "../layer";
import type { DebianBaseRecipe } from "../lock";
import type { Assembly, RecipeContext } from "./context";

const run = promisify(execFile);

/** What a running system writes, or what only this machine would have put there. */
const EMPTIED = ["var/cache", "var/lib/apt/lists", "var/log", "run", "tmp", "dev", "proc", "sys", "boot"];
const LEFT_OUT =
  /^(etc\/(resolv\.conf|hostname|machine-id|passwd-|group-|shadow-|gshadow-|\.pwd\.lock)|var\/lib\/dpkg\/.*-old)$/;
const DOCUMENTATION = /^usr\/share\/(man|info|locale|lintian|doc-base|bug|doc\/[^/]+\/(?!copyright$).*)\/?/;

/** Packages installed on top leave their documentation out as well. */
const DPKG_CONFIG = `# A container has no readers; licences stay.
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/lintian/*
`;

/**
 * The smallest Debian that can install packages, made by mmdebstrap from the archives this machine uses. They stay in
 * its apt sources, since they are what a build on this machine can reach.
 */
export async function assembleDebianBase(recipe: DebianBaseRecipe, context: RecipeContext): Promise<Assembly> {
  const apt = await privateApt(context);
  const archives = sourceLines(await apt.archives(), recipe.suite);
  if (archives.length === 0) {
    throw new Error(
      `apt on this machine knows no archive of Debian ${recipe.suite}: add it to /etc/apt/sources.list.d`,
    );
  }
  const tools = await apt.unpack("mmdebstrap");
  const root = join(context.scratch, "root");
  // In namespaces of its own: however it ends, its mounts and children end with it.
  const alone = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
  // The hook spares Perl, which would only be there to merge /usr once.
  const merged = `--hook-dir=${join(tools, "usr/share/mmdebstrap/hooks/merged-usr")}`;
  const options = ["--mode=root", "--format=directory", "--variant=minbase", merged];
  if (recipe.packages) options.push(`--include=${recipe.packages.join(",")}`);
  const bootstrap = ["perl", join(tools, "usr/bin/mmdebstrap"), ...options];
  await runLogged([...alone, ...bootstrap, recipe.suite, root, ...archives], {
    log: context.log,
    env: { ...process.env, SOURCE_DATE_EPOCH: "0", LC_ALL: "C", TMPDIR: context.scratch },
  });
  const layer = await cleaned(root);
  return { below: [], layer, inputs: await installed(root) };
}

async function cleaned(root: string): Promise<Layer> {
  for (const directory of EMPTIED)
    for (const name of await readdir(join(root, directory)))
      await rm(join(root, directory, name), { recursive: true, force: true });
  const layer = new Layer();
  layer.tree("", root, (path) => !LEFT_OUT.test(path) && !DOCUMENTATION.test(path));
  layer.file("/etc/dpkg/dpkg.cfg.d/container", DPKG_CONFIG);
  return layer;
}

interface PrivateApt {
  /** One line `origin|release|component|address` per archive this machine's apt is told to use. */
  archives(): Promise<string>;
  /** Unpacks a package alone, without what it depends on. */
  unpack(name: string): Promise<string>;
}

/** This machine's apt with lists of its own: those of the machine may be stale or missing, and are not ours to change. */
async function privateApt({ scratch, log }: RecipeContext): Promise<PrivateApt> {
  const lists = join(scratch, "lists");
  await mkdir(join(lists, "partial"), { recursive: true });
  const settings = ["-o", `Dir::State::lists=${lists}`, "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=true"];
  await runLogged(["apt-get", "-q", ...settings, "update"], { log });
  return {
    archives: async () => {
      const format = "$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)";
      const targets = ["indextargets", ...settings, "--format", format, "Created-By: Packages"];
      return (await run("apt-get", targets)).stdout;
    },
    unpack: async (name) => {
      const tree = join(scratch, name);
      await mkdir(tree);
      await runLogged(["apt-get", "-q", ...settings, "download", name], { log, cwd: tree });
      for (const archive of await readdir(tree)) await run("dpkg-deb", ["--extract", join(tree, archive), tree]);
      return tree;
    },
  };
}

/** `Debian|bookworm|main|http://…` per line to lines of a sources.list, the security updates among them. */
export function sourceLines(targets: string, suite: string): string[] {
  const wanted = [suite, `${suite}-updates`, `${suite}-security`];
  const lines = targets.split("\n").flatMap((target) => {
    const [origin, release = "", component, uri] = target.split("|");
    return origin === "Debian" && wanted.includes(release) && component === "main"
      ? [`deb ${uri} ${release} main`]
      : [];
  });
  return [...new Set(lines)].sort();
}

async function installed(root: string): Promise<Record<string, string>> {
  const status = await readFile(join(root, "var/lib/dpkg/status"), "utf8");
  const packages = status.split("\n\n").map((stanza) => {
    const field = (name: string): string => stanza.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1] ?? "";
    return [field("Package"), field("Version")] as const;
  });
  return Object.fromEntries(packages.filter(([name]) => name !== ""));
}
