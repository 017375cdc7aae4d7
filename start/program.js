// How Pulumi.yaml starts the program: the SDK first, without what is not called, then the loader for TypeScript, which
// would otherwise look into every file of the SDK. PLATFORM_PLAIN_START=1 leaves the SDK as it is.
if (!process.env.PLATFORM_PLAIN_START) {
  require("./lean").leanly();
  // Nothing that registers itself, as the providers' packages do: the engine's address is not known yet, and would stay so.
  require("@pulumi/pulumi");
  require("@pulumi/pulumi/cmd/run/tracing");
  require("./quiet");
}
require("tsx/cjs");
