const Module = require("node:module");

/**
 * What the SDK's entry points load and a program or a pack rarely calls. They are most of a start: the compiler and npm's
 * dependency resolver serve functions that become resources; beside them the automation API, and traces.
 */
const LATE = [
  "../../typescript-shim",
  "./automation",
  "@npmcli/arborist",
  "@opentelemetry/exporter-zipkin",
  "@opentelemetry/instrumentation",
  "@opentelemetry/instrumentation-grpc",
  "@opentelemetry/resources",
  "@opentelemetry/sdk-trace-base",
  "@opentelemetry/sdk-trace-node",
  "normalize-package-data",
];

/** Stands in for a module until somebody looks into it. */
function late(load) {
  let loaded;
  const module = () => (loaded ??= load());
  return new Proxy(
    {},
    {
      get(_, key) {
        // The SDK's import helpers ask this of everything, and copy what answers no.
        if (key === "__esModule") return true;
        const found = module();
        return key === "default" && !found.__esModule ? found : found[key];
      },
      has: (_, key) => key in module(),
    },
  );
}

/** Loads modules of the SDK without what they rarely call, which comes when it is first used. */
exports.leanly = (names) => {
  const load = Module._load;
  Module._load = function (request, ...rest) {
    const now = () => load.call(this, request, ...rest);
    return LATE.includes(request) ? late(now) : now();
  };
  try {
    for (const name of names) require(name);
  } finally {
    Module._load = load;
  }
};
