import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export interface Call {
  readonly program: string;
  readonly args: readonly string[];
  readonly input: string;
}

/** What the machine's kind, Docker and cluster are like, one file each; the fakes read it and change it. */
export interface World {
  /** The one cluster there may be. */
  clusters: string;
  running: boolean;
  docker: boolean;
  /** kind is killed in the middle of `create`. */
  killed: boolean;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const RAW_KUBECONFIG = `apiVersion: v1
clusters:
- cluster: { certificate-authority-data: ${base64("the CA")}, server: "https://127.0.0.1:40001" }
  name: kind-k
users:
- name: kind-k
  user: { client-certificate-data: ${base64("the certificate")}, client-key-data: ${base64("the key")} }
`;

/** One program under three names: writes down its call, then does to the world what the real one would. */
const FAKE = `#!/bin/sh
program=\${0##*/} world=$FAKE_DIR input=
[ "$1" = exec ] && input=$(cat)
call=$program
for arg; do call="$call\u001f$arg"; done
printf '%s\u001f\u001d%s\u001e' "$call" "$input" >>"$world/calls"
after() { flag=$1; shift; while [ $# -gt 0 ]; do [ "$1" = "$flag" ] && { echo "$2"; return; }; shift; done; }
is() { [ "$(cat "$world/$1")" = true ]; }
die() { echo "$1" >&2; exit 1; }
case "$program $1 $2" in
docker*) is docker || die "Cannot connect to the Docker daemon" ;;
esac
case "$program $1 $2" in
"docker version "*) echo 28.0.4 ;;
"docker inspect "*)
  [ -s "$world/clusters" ] || die "Error: No such object: $2"
  shift
  index=0 sep=[
  for name; do
    printf '%s{"Name":"/%s","State":{"Running":%s},"NetworkSettings":{"Networks":{"kind":{"IPAddress":"172.18.0.%d"}},"Ports":{"443/tcp":[{"HostPort":"4100%d"}],"5443/tcp":[{"HostPort":"4300%d"}],"80/tcp":[{"HostPort":"4200%d"}],"6443/tcp":null}}}' \\
      "$sep" "$name" "$(cat "$world/running")" $((index + 2)) $index $index $index
    index=$((index + 1)) sep=,
  done
  echo "]" ;;
"docker start "*) printf true >"$world/running" ;;
"kind version "*) echo "kind v0.30.0 go1.24.6 linux/amd64" ;;
"kind get clusters") cat "$world/clusters" ;;
"kind create cluster")
  after --name "$@" >"$world/clusters"
  is killed && exit 137
  cat "$world/raw" >"$(after --kubeconfig "$@")" ;;
"kind delete cluster") : >"$world/clusters" ;;
"kubectl version "*) echo "Client Version: v1.34.2" ;;
*namespace*|"kubectl --kubeconfig "*) case "$*" in *kube-system*) printf 11111111-2222-3333-4444-555555555555 ;; esac ;;
esac
exit 0
`;

/** Puts the fakes first on PATH and the toolchain's cache into a temporary directory, until `remove`. */
export class Fakes {
  readonly root = fs.mkdtempSync(path.join(os.tmpdir(), "kind-test-"));
  readonly cache = path.join(this.root, "cache");
  readonly bin = path.join(this.root, "bin");
  private readonly before = { ...process.env };

  constructor() {
    fs.mkdirSync(this.bin);
    for (const name of ["docker", "kind", "kubectl"])
      fs.writeFileSync(path.join(this.bin, name), FAKE, { mode: 0o755 });
    fs.writeFileSync(path.join(this.root, "raw"), RAW_KUBECONFIG);
    this.change({ clusters: "", running: true, docker: true, killed: false });
    process.env.FAKE_DIR = this.root;
    process.env.PLATFORM_CACHE = this.cache;
    process.env.PATH = `${this.bin}:${this.before.PATH}`;
    delete process.env.PLATFORM_PRESENT;
  }

  change(change: Partial<World>): void {
    for (const [file, value] of Object.entries(change)) fs.writeFileSync(path.join(this.root, file), String(value));
  }

  /** The calls so far, without questions that change nothing. */
  calls(): Call[] {
    const asks = /^(docker|kind|kubectl) version|^docker inspect|^kind get clusters/;
    return this.read()
      .split("\u001e")
      .filter(Boolean)
      .map((call) => {
        const [words = "", input = ""] = call.split("\u001f\u001d");
        const [program = "", ...args] = words.split("\u001f");
        return { program, args, input };
      })
      .filter(({ program, args }) => !asks.test(`${program} ${args.join(" ")}`));
  }

  /** Everything that was called, as it was written down. */
  read(): string {
    return fs.readFileSync(path.join(this.root, "calls"), "utf8");
  }

  forget(): void {
    fs.writeFileSync(path.join(this.root, "calls"), "");
  }

  remove(): void {
    for (const name of ["FAKE_DIR", "PLATFORM_CACHE", "PATH", "PLATFORM_PRESENT"])
      if (this.before[name] === undefined) delete process.env[name];
      else process.env[name] = this.before[name];
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}
