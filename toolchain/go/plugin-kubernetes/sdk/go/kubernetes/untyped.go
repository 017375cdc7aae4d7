// Package kubernetes stands in for the Go SDK inside the provider. The provider
// needs three small things of the SDK, and linking all of it for them, one Go
// type for each type of each Kubernetes API, is half of the build and of the binary.
package kubernetes

import "reflect"

// UntypedArgs carries an object read from YAML to the engine as it is.
type UntypedArgs map[string]any

func (UntypedArgs) ElementType() reflect.Type {
	return reflect.TypeFor[map[string]any]()
}
