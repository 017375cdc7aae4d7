// Writes schema.json and bridge-metadata.json, which the plugin embeds.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"

	"platform/toolchain/plugin-docker/docker"
)

func main() {
	tfgen.Main(docker.Name, docker.Version, docker.Provider(nil))
}
