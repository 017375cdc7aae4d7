// The pack as the engine starts it, asked about one Deployment and about a stack of COUNT of them: `pack.js COUNT`. Prints how
// often objects were unpacked for each, beside what was found.
const { createRequire } = require("node:module");
const path = require("node:path");
const deserialize = require("@pulumi/policy/deserialize");

const pack = path.resolve(__dirname, "../../policy");
process.chdir(pack);
let decodes = 0;
const unpack = deserialize.deserializeProperties;
deserialize.deserializeProperties = (...args) => {
  decodes++;
  return unpack(...args);
};

// The port is what it says on its way up.
const port = new Promise((done) => (console.log = done));
require(path.join(pack, "start.js"));

const grpc = createRequire(require.resolve("@pulumi/policy"))("@grpc/grpc-js");
const { AnalyzerClient } = require("@pulumi/pulumi/proto/analyzer_grpc_pb");
const messages = require("@pulumi/pulumi/proto/analyzer_pb");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb");

const type = "kubernetes:apps/v1:Deployment";
const spec = { template: { spec: { containers: [{ name: "web", image: "web" }] } } };
const properties = (name) => Struct.fromJavaScript({ metadata: { name, namespace: "dev-apps" }, spec });
const urnOf = (name) => `urn:pulumi:dev::platform::${type}::${name}`;

async function main(count) {
  const client = new AnalyzerClient(`127.0.0.1:${await port}`, grpc.credentials.createInsecure());
  const ask = (method, request) =>
    new Promise((done, fail) =>
      client[method](request, (error, response) => (error ? fail(error) : done(response.getDiagnosticsList().length))),
    );
  const filled = (message, name) => {
    message.setType(type);
    message.setName(name);
    message.setUrn(urnOf(name));
    message.setProperties(properties(name));
    const options = new messages.AnalyzerResourceOptions();
    options.setCustomtimeouts(new messages.AnalyzerResourceOptions.CustomTimeouts());
    message.setOptions(options);
    return message;
  };
  const found = { one: await ask("analyze", filled(new messages.AnalyzeRequest(), "web")), decodes };
  decodes = 0;
  const request = new messages.AnalyzeStackRequest();
  const resources = Array.from({ length: count }, (_, index) =>
    filled(new messages.AnalyzerResource(), `web-${index}`),
  );
  request.setResourcesList(resources);
  const stack = await ask("analyzeStack", request);
  process.stdout.write(JSON.stringify({ object: found, stack: { found: stack, decodes } }), () => process.exit());
}

main(Number(process.argv[2])).catch((error) => {
  console.error(error);
  process.exit(1);
});
