module github.com/terraform-providers/terraform-provider-random/shim

go 1.25.8

require github.com/terraform-providers/terraform-provider-random v0.0.0

require github.com/hashicorp/terraform-plugin-framework v1.19.0
