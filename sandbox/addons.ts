import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** The cluster's own parts, from the manifests beside this file, in the order they are applied. */
const MANIFESTS = ["machines", "calico", "cloud", "coredns", "storage", "metrics-server"] as const;

export interface AddonValues {
  readonly dnsIp: string;
  readonly clusterCa: string;
  readonly images: Readonly<Record<string, string>>;
}

export function render(template: string, values: AddonValues): string {
  return template.replace(/\$\{([a-z-]+(?::[a-z-]+)?|[a-zA-Z]+)\}/g, (whole, name: string) => {
    if (name === "dnsIp") return values.dnsIp;
    // Inside a double-quoted YAML string.
    if (name === "clusterCa") return values.clusterCa.replace(/\n/g, "\\n");
    const image = name.startsWith("image:") ? values.images[name.slice("image:".length)] : undefined;
    if (image === undefined) throw new Error(`sandbox manifest names ${whole}, which nothing provides`);
    return image;
  });
}

export function manifests(values: AddonValues): string {
  return MANIFESTS.map((name) =>
    render(fs.readFileSync(path.join(__dirname, "addons", `${name}.yaml`), "utf8"), values),
  ).join("\n---\n");
}

/** Runs kubectl with the text on its input; the error carries what kubectl said. */
export function kubectl(binary: string, kubeconfig: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(binary, ["--kubeconfig", kubeconfig, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (err += data.toString()));
    child.on("error", fail);
    child.on("close", (code) =>
      code === 0 ? done(out) : fail(new Error(`kubectl ${args.join(" ")}: ${err.trim() || `exit ${code}`}`)),
    );
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
