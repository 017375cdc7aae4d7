// Mocha's usual output, and the counts for `npm test` in the file that PLATFORM_TEST_REPORT names.
const fs = require("node:fs");
const { Spec } = require("mocha").reporters;

module.exports = class extends Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures, pending } = runner.stats;
      fs.writeFileSync(
        process.env.PLATFORM_TEST_REPORT,
        JSON.stringify({ passed: passes, failed: failures, skipped: pending }),
      );
    });
  }
};
