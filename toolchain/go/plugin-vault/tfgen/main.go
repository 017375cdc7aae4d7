// Writes schema.json and bridge-metadata.json, which the plugin embeds.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"

	"platform/toolchain/plugin-vault/vault"
)

func main() {
	tfgen.Main(vault.Name, vault.Version, vault.Provider(nil))
}
