// Package googleiam stands in for a login to Google Cloud that is not built in.
package googleiam

import (
	"errors"
	"net/http"
)

var errNotBuiltIn = errors.New("google_iam is not built in: use the official image")

// Config is refused where a configuration has it.
type Config struct{}

func (*Config) UnmarshalYAML(func(any) error) error { return errNotBuiltIn }

func NewRoundTripper(*Config, http.RoundTripper) (http.RoundTripper, error) {
	return nil, errNotBuiltIn
}
