import { ensure } from "../../toolchain";
import { Browser } from "../browser/browser";
import { verifiedPin } from "../browser/pin";
import { declare, scenarios } from "../browser/scenario";
import { broughtUp, outputs } from "./world";

const STACK = "dev";
const HTTPS_PORT = 443;

describe("pages: what people see, in a real browser", function () {
  this.timeout(600_000);
  let browser: Browser | undefined;
  let hosts: Readonly<Record<string, string>> = {};

  before(async function () {
    const program = await chromium();
    if (!program) this.skip();
    await broughtUp();
    const { edge } = await outputs(STACK);
    hosts = edge.hosts;
    const urls = scenarios().map(({ application }) => new URL(originOf(application)));
    const pins = urls.map(({ hostname, port }) =>
      verifiedPin(hostname, {
        address: edge.address,
        port: Number(port || HTTPS_PORT),
        authority: edge.certificateAuthority,
      }),
    );
    browser = await Browser.launch({
      program,
      hosts: Object.fromEntries(urls.map(({ hostname }) => [hostname, edge.address])),
      pins: await Promise.all(pins),
    });
  });
  after(() => browser?.close());

  function originOf(application: string): string {
    const host = hosts[application];
    if (!host) throw new Error(`${STACK} has no host for ${application}; there are ${Object.keys(hosts).join(", ")}`);
    return new URL(host).origin;
  }

  for (const scenario of scenarios())
    declare(scenario, () => ({ browser: browser as Browser, origin: originOf(scenario.application) }));
});

/** The program, or nothing where it cannot be had; then the run says why and counts the tests as skipped. */
async function chromium(): Promise<string | undefined> {
  try {
    return (await ensure(["chromium"])).bin("chromium");
  } catch (error) {
    console.log(`      SKIPPED: no page is looked at in a browser: ${(error as Error).message}`);
    return undefined;
  }
}
