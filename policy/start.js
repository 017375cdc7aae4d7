require("../start/lean").leanly();
// Before tsx, which would look at every file of the SDK.
require("@pulumi/policy");
require("tsx/cjs");
require("./index.ts");
