package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"platform/toolchain/plugin-vault/vault"
)

// Both files are written by ./tfgen before the build, see recipe.json.
var (
	//go:embed schema.json
	schema []byte
	//go:embed bridge-metadata.json
	metadata []byte
)

func main() {
	tfbridge.Main(vault.Name, vault.Version, vault.Provider(metadata), schema)
}
