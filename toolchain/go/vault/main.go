// Vault as its "minimal" build tag makes it (raft, kv, pki, transit, approle,
// jwt, userpass ...), plus the Kubernetes login, which that tag leaves out. The
// full server links the client of every cloud and database it knows.
package main

import (
	"os"
	"reflect"
	"unsafe"

	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	"github.com/hashicorp/vault/command"
	"github.com/hashicorp/vault/helper/builtinplugins"
	"github.com/hashicorp/vault/sdk/logical"
)

func main() {
	addLogin("kubernetes", kubernetes.Factory)
	os.Exit(command.Run(os.Args[1:]))
}

// addLogin writes into the registry of built-in plugins. Upstream fills it from
// inside its package only, and an external plugin would need a second process
// and a registration by every operator; hence the unexported field.
func addLogin(name string, factory logical.Factory) {
	field := reflect.ValueOf(builtinplugins.Registry).Elem().FieldByName("credentialBackends")
	logins := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
	login := reflect.New(field.Type().Elem()).Elem()
	login.FieldByName("Factory").Set(reflect.ValueOf(factory))
	logins.SetMapIndex(reflect.ValueOf(name), login)
}
