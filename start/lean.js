const Module = require("node:module");
const path = require("node:path");

/**
 * What the SDK's entry points load and a program or a pack rarely calls, with who asks for it. They are most of a start: the
 * compiler and npm's dependency resolver serve functions that become resources; beside them the automation API, traces, and
 * the kinds of Kubernetes resources that are made of files.
 */
const LATE = {
  "../../typescript-shim": "/@pulumi/pulumi/runtime/closure/",
  "./automation": "/@pulumi/pulumi/index.js",
  "./helm": "/@pulumi/kubernetes/index.js",
  "./kustomize": "/@pulumi/kubernetes/index.js",
  "./yaml": "/@pulumi/kubernetes/index.js",
  "@npmcli/arborist": "/@pulumi/pulumi/",
  "@opentelemetry/exporter-zipkin": "/@pulumi/pulumi/",
  "@opentelemetry/instrumentation": "/@pulumi/pulumi/",
  "@opentelemetry/instrumentation-grpc": "/@pulumi/pulumi/",
  "@opentelemetry/resources": "/@pulumi/pulumi/",
  "@opentelemetry/sdk-trace-base": "/@pulumi/pulumi/",
  "@opentelemetry/sdk-trace-node": "/@pulumi/pulumi/",
  "normalize-package-data": "/@pulumi/pulumi/",
};

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

/** From here on these come when they are first used. */
exports.leanly = () => {
  const load = Module._load;
  Module._load = function (request, parent, ...rest) {
    const now = () => load.call(this, request, parent, ...rest);
    const asker = LATE[request];
    return asker && parent?.filename?.replaceAll(path.sep, "/").includes(asker) ? late(now) : now();
  };
};
