import { ensure } from "../../../toolchain";
import type { EnsureOptions } from "../../../toolchain/settings";

/** A run in a process of its own, for the tests that kill one or let two meet: options as JSON, then the items. */
const [options = "{}", ...items] = process.argv.slice(2);
ensure(items, JSON.parse(options) as EnsureOptions).then(
  (toolchain) => console.log(toolchain.path),
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
