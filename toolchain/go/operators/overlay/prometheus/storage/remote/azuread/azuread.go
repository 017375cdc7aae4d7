// Package azuread stands in for a login to Azure that is not built in.
package azuread

import (
	"errors"
	"net/http"
)

var errNotBuiltIn = errors.New("azuread is not built in: use the official image")

// AzureADConfig is refused where a configuration has it.
type AzureADConfig struct{}

func (*AzureADConfig) UnmarshalYAML(func(any) error) error { return errNotBuiltIn }

func NewAzureADRoundTripper(*AzureADConfig, http.RoundTripper) (http.RoundTripper, error) {
	return nil, errNotBuiltIn
}
