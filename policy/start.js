// Before tsx, which would look at every file of the SDK.
require("../start/lean").leanly(["@pulumi/policy"]);
require("tsx/cjs");
require("./index.ts");
