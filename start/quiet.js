// What the SDK does with every resource for the one who debugs the SDK.
const debuggable = require("@pulumi/pulumi/runtime/debuggable");
const log = require("@pulumi/pulumi/log");
const { Resource } = require("@pulumi/pulumi/resource");

// It renders a stack for every promise, and shows it where leaks are looked for. The leak itself is found without.
if (!debuggable.debugPromiseLeaks) {
  const track = debuggable.debuggablePromise;
  debuggable.debuggablePromise = (...args) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return track(...args);
    } finally {
      Error.stackTraceLimit = limit;
    }
  };
}

// Each is a call of the engine, four for every resource, which throws it away.
log.debug = () => Promise.resolve();

// Where in the source each resource is made, down to the loader and with this machine's paths: nobody reads it, and it would be
// a fifth of the state.
Resource.stackTrace = () => [];
