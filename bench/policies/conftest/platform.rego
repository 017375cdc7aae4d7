package main

import rego.v1

deny contains message if {
	input.kind == "Deployment"
	not input.spec.template.spec.securityContext.runAsNonRoot
	message := sprintf("%s: runAsNonRoot is not true", [input.metadata.name])
}

deny contains message if {
	input.kind == "Deployment"
	some container in input.spec.template.spec.containers
	some amount in ["requests", "limits"]
	some resource in ["cpu", "memory"]
	not container.resources[amount][resource]
	message := sprintf("%s: %s has no %s of %s", [input.metadata.name, container.name, amount, resource])
}
