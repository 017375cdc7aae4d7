#!/bin/bash
# Teaches one node of a kind cluster where the platform's registries are and whose certificates they show. Runs inside the
# node; may run again after a restart, which makes /etc/hosts anew and may move addresses.
#   kind-node.sh CA-CERTIFICATE HOST=ADDRESS…
# ROOT is for the test of this file.
set -eu
root=${ROOT:-} ca=$1
shift

# Docker mounts the file into the node: it can be written, not replaced.
kept=$(grep -v '# platform$' "$root/etc/hosts")
{
  echo "$kept"
  for pair in "$@"; do echo "${pair#*=} ${pair%%=*} # platform"; done
} >"$root/etc/hosts"

mkdir -p "$root/etc/platform"
printf '%s\n' "$ca" >"$root/etc/platform/ca.crt"
for pair in "$@"; do
  host=${pair%%=*}
  mkdir -p "$root/etc/containerd/certs.d/$host"
  cat >"$root/etc/containerd/certs.d/$host/hosts.toml" <<TOML
server = "https://$host"
[host."https://$host"]
  capabilities = ["pull", "resolve"]
  ca = "/etc/platform/ca.crt"
TOML
done
