#!/bin/bash
# What a cloud does for LoadBalancer Services, for a kind cluster: gives each the address of the node that stands for its
# environment, on which kube-proxy then answers. Runs on the control plane and ends with it.
#   kind-cloud.sh ENVIRONMENT=ADDRESS…
set -u
export KUBECONFIG=${KUBECONFIG:-/etc/kubernetes/admin.conf}
balanced='{{if eq .spec.type "LoadBalancer"}}{{.metadata.namespace}} {{.metadata.name}} {{range .status.loadBalancer.ingress}}{{.ip}}{{end}}{{"\n"}}{{end}}'

while :; do
  # A watch ends from time to time, and begins anew with everything there is.
  kubectl get services --all-namespaces --watch --output "go-template=$balanced" |
    while read -r namespace name current; do
      for pair in "$@"; do
        address=${pair#*=}
        [ "${namespace%%-*}" = "${pair%%=*}" ] && [ "$current" != "$address" ] || continue
        kubectl patch service "$name" --namespace "$namespace" --subresource status --type merge \
          --patch "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"$address\"}]}}}" </dev/null
      done
    done
  sleep 1
done
