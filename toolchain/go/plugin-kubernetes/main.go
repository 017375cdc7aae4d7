// The Kubernetes provider. Upstream's own main embeds files its release build
// generates; this one embeds the files they are generated from.
package main

import (
	"bytes"
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

// Both come out of the provider's module; recipe.json says how.

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

func main() {
	// The schema names no version, and the engine wants the one it was asked for.
	versioned := bytes.Replace(schema, []byte("{"), []byte(`{"version":"`+version.Version+`",`), 1)
	provider.Serve("kubernetes", version.Version, versioned, terraformMapping)
}
