// Package vault maps the Terraform provider to the names the npm package asks the plugin for.
package vault

import (
	terraform "github.com/hashicorp/terraform-provider-vault/vault"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

const Name = "vault"

// Version is the npm package's: the engine looks for a plugin of exactly this version.
const Version = "7.8.0"

// Provider describes the plugin. The metadata is what tfgen wrote; tfgen itself starts with none.
func Provider(metadata []byte) tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:            sdkv2.NewProvider(terraform.Provider()),
		Name:         Name,
		Version:      Version,
		MetadataInfo: tfbridge.NewProviderMetadata(metadata),
		Config: map[string]*tfbridge.SchemaInfo{
			"skip_tls_verify":       fromEnvironment("VAULT_SKIP_VERIFY", nil),
			"max_lease_ttl_seconds": fromEnvironment("TERRAFORM_VAULT_MAX_TTL", 1200),
			"max_retries":           fromEnvironment("VAULT_MAX_RETRIES", 2),
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			// Naming the field keeps it from being autonamed: the name is given by the auth method, not chosen.
			"vault_identity_group_alias":    renamed("name", "name"),
			"vault_pki_secret_backend_role": renamed("ou", "organizationUnit"),
			// The npm package is made from the provider's 5.8, which had this name; 5.9 took it back.
			"vault_database_secret_backend_connection": renamedWithin("elasticsearch", "insecure", "insecureTls"),
			"vault_database_secrets_mount":             renamedWithin("elasticsearch", "insecure", "insecureTls"),
			// Vault computes these; the bridge would add a second id because the provider calls them optional.
			"vault_mfa_okta":   renamed("id", "id"),
			"vault_mfa_pingid": renamed("id", "id"),
			"vault_mfa_totp":   renamed("id", "id"),
		},
	}
	nameEverything(&info)
	info.SetAutonaming(255, "-")
	return info
}

func fromEnvironment(variable string, otherwise any) *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{EnvVars: []string{variable}, Value: otherwise}}
}

func renamedWithin(block, field, name string) *tfbridge.ResourceInfo {
	inner := &tfbridge.SchemaInfo{Elem: &tfbridge.SchemaInfo{Fields: renamed(field, name).Fields}}
	return &tfbridge.ResourceInfo{Fields: map[string]*tfbridge.SchemaInfo{block: inner}}
}

func renamed(field, name string) *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{Fields: map[string]*tfbridge.SchemaInfo{field: {Name: name}}}
}
