// Named below upstream's module, because much of cert-manager lies in its internal packages: Go lets only such a
// name import them. Upstream's own mains are modules that no proxy has.
module github.com/cert-manager/cert-manager/platform

go 1.25.0
