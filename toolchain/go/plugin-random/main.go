package main

import (
	"context"
	_ "embed"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"

	"platform/toolchain/plugin-random/random"
)

// Both files are written by ./tfgen before the build, see recipe.json.
var (
	//go:embed schema.json
	schema []byte
	//go:embed bridge-metadata.json
	metadata []byte
)

func main() {
	pf.Main(context.Background(), random.Name, random.Provider(metadata), pf.ProviderMetadata{PackageSchema: schema})
}
