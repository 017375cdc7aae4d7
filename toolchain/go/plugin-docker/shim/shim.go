// Package shim lends out the Terraform provider, which keeps its code in an internal package: a module whose path lies
// below the provider's own may import it.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// New takes the version that the provider reports to a registry as its user agent.
func New(version string) *schema.Provider {
	return provider.New(version)()
}
