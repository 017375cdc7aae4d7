// Package register holds the providers that are linked: Vault alone, where upstream has all forty.
package register

import _ "github.com/external-secrets/external-secrets/pkg/provider/vault"
