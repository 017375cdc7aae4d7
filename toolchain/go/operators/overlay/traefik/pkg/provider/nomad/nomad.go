// Package nomad stands in for a provider that is not built in: routes come from Kubernetes.
package nomad

import (
	"errors"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

var errNotBuiltIn = errors.New("the provider nomad is not built in: use the official image")

// Provider refuses to start.
type Provider struct{}

func (*Provider) Init() error { return errNotBuiltIn }

func (*Provider) Provide(chan<- dynamic.Message, *safe.Pool) error { return errNotBuiltIn }

// ProviderBuilder builds one provider, so that its refusal is logged.
type ProviderBuilder struct{}

func (*ProviderBuilder) BuildProviders() []*Provider { return []*Provider{{}} }
