// Package v2 registers the objects that the provider's components (ConfigFile,
// ConfigGroup, Chart, Directory) read from YAML.
package v2

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// RegisterResource registers an object under the token that every SDK gives its kind.
func RegisterResource(ctx *pulumi.Context, apiVersion, kind, name string, props pulumi.Input,
	opts ...pulumi.ResourceOption) (pulumi.CustomResource, error) {
	var resource pulumi.CustomResourceState
	if err := ctx.RegisterResource(token(apiVersion, kind), name, props, &resource, opts...); err != nil {
		return nil, err
	}
	return &resource, nil
}

// token differs from the object's own words for the core group only, which has no name in apiVersion.
func token(apiVersion, kind string) string {
	if apiVersion == "v1" {
		apiVersion = "core/v1"
	}
	return "kubernetes:" + apiVersion + ":" + kind
}
