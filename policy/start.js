const Module = require("node:module");

// The SDK's entry point loads npm's dependency resolver and the automation API, which take most of a start and which a
// pack never calls.
const unused = new Set(["@npmcli/arborist", "./automation"]);
const load = Module._load;
Module._load = function (request, ...rest) {
  return unused.has(request) ? {} : load.call(this, request, ...rest);
};
// Before tsx, which would look at every file of the SDK.
require("@pulumi/policy");
Module._load = load;

require("tsx/cjs");
require("./index.ts");
