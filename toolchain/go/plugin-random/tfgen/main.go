// Writes schema.json and bridge-metadata.json, which the plugin embeds.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"

	"platform/toolchain/plugin-random/random"
)

func main() {
	tfgen.Main(random.Name, random.Provider(nil))
}
