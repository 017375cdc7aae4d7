// Package docker stands in for two providers that are not built in: routes come from Kubernetes.
package docker

import (
	"errors"

	ptypes "github.com/traefik/paerser/types"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

var errNotBuiltIn = errors.New("the providers docker and swarm are not built in: use the official image")

// Provider refuses to start.
type Provider struct {
	HTTPClientTimeout ptypes.Duration `json:"httpClientTimeout,omitempty" toml:"httpClientTimeout,omitempty" yaml:"httpClientTimeout,omitempty"`
}

func (*Provider) Init() error { return errNotBuiltIn }

func (*Provider) Provide(chan<- dynamic.Message, *safe.Pool) error { return errNotBuiltIn }

// SwarmProvider refuses to start.
type SwarmProvider struct {
	HTTPClientTimeout ptypes.Duration `json:"httpClientTimeout,omitempty" toml:"httpClientTimeout,omitempty" yaml:"httpClientTimeout,omitempty"`
	RefreshSeconds    ptypes.Duration `json:"refreshSeconds,omitempty" toml:"refreshSeconds,omitempty" yaml:"refreshSeconds,omitempty"`
}

func (*SwarmProvider) Init() error { return errNotBuiltIn }

func (*SwarmProvider) Provide(chan<- dynamic.Message, *safe.Pool) error { return errNotBuiltIn }
