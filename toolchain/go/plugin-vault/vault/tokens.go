package vault

import (
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	pulumi "github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

const prefix = "vault_"

// The first word of a Terraform name decides the module; these are the words, spelled as the npm package spells them.
var modules = map[string]string{
	"approle":         "appRole",
	"pki_secret":      "pkiSecret",
	"rabbitmq":        "rabbitMq",
	"terraform_cloud": "terraformcloud",
	"token":           "tokenauth",
}

var sameName = []string{
	"ad", "alicloud", "aws", "azure", "config", "consul", "database", "gcp", "generic", "github", "identity", "jwt",
	"kmip", "kubernetes", "kv", "ldap", "managed", "mongodbatlas", "okta", "saml", "secrets", "ssh", "transform", "transit",
}

// Older resources of the PKI engine repeat the engine's word in their names, newer ones do not.
var olderPKI = []string{
	"cert", "config_ca", "config_issuers", "config_urls", "crl_config", "intermediate_cert_request",
	"intermediate_set_signed", "issuer", "key", "role", "root_cert", "root_sign_intermediate", "sign",
}

// Names no rule gives.
var exceptions = map[string]pulumi.Type{
	"vault_azure_secret_backend":                "vault:azure/backend:Backend",
	"vault_azure_secret_backend_role":           "vault:azure/backendRole:BackendRole",
	"vault_identity_oidc_key_allowed_client_id": "vault:identity/oidcKeyAllowedClientID:OidcKeyAllowedClientID",
}

// nameEverything gives each resource and data source the token under which the npm package asks for it.
func nameEverything(info *tfbridge.ProviderInfo) {
	for name, token := range exceptions {
		info.Resources[name] = withToken(info.Resources[name], token)
	}
	standard := tokens.MakeStandard(Name)
	for _, suffix := range olderPKI {
		token, err := standard("pkiSecret", "SecretBackend"+camel(suffix))
		if err != nil {
			panic(err) // Only an empty name fails.
		}
		name := prefix + "pki_secret_backend_" + suffix
		info.Resources[name] = withToken(info.Resources[name], pulumi.Type(token))
	}
	// With the underscore, so that "ad" is not taken for the beginning of "adaptive".
	byPrefix := map[string]string{}
	for word, module := range modules {
		byPrefix[word+"_"] = module
	}
	for _, word := range sameName {
		byPrefix[word+"_"] = word
	}
	info.MustComputeTokens(tokens.MappedModules(prefix, "index", byPrefix, standard))
}

func withToken(resource *tfbridge.ResourceInfo, token pulumi.Type) *tfbridge.ResourceInfo {
	if resource == nil {
		resource = &tfbridge.ResourceInfo{}
	}
	resource.Tok = token
	return resource
}

func camel(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}
