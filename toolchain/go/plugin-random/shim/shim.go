// Package shim lends out the Terraform provider, which keeps its code in an internal package: a module whose path lies
// below the provider's own may import it.
package shim

import (
	framework "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/terraform-providers/terraform-provider-random/internal/provider"
)

func New() framework.Provider {
	return provider.New()
}
