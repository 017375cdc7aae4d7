import { ensure } from "../../toolchain";
import { Browser } from "./browser";
import { declare, scenarios } from "./scenario";

const USAGE = 'PLATFORM_TEST_PAGES="one-time-secret=http://127.0.0.1:3000 …"';

/** The same as the live suite, against applications that somebody has started on the loopback. */
function origins(): Map<string, string> {
  const given = (process.env.PLATFORM_TEST_PAGES ?? "").split(/\s+/).filter(Boolean);
  if (given.length === 0) throw new Error(`nothing to look at: ${USAGE}`);
  const known = scenarios().map(({ application }) => application);
  const pairs = given.map((pair): [string, string] => {
    const [application = "", origin = ""] = pair.split("=");
    if (!known.includes(application))
      throw new Error(`no scenario for "${application}"; known are ${known.join(", ")}`);
    return [application, new URL(origin).origin];
  });
  return new Map(pairs);
}

describe("pages, started by hand", function () {
  this.timeout(300_000);
  const pages = origins();
  let browser: Browser;

  before(async () => {
    browser = await Browser.launch({ program: (await ensure(["chromium"])).bin("chromium") });
  });
  after(() => browser?.close());

  for (const scenario of scenarios()) {
    const origin = pages.get(scenario.application);
    if (origin) declare(scenario, () => ({ browser, origin }));
  }
});
