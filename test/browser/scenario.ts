import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Browser } from "./browser";
import type { Page } from "./page";

/** One visit to an application's pages; whatever it opens is looked at once more at its end, and closed. */
export interface Visit {
  /** Such as https://secret.dev.platform.test. */
  readonly origin: string;
  /** A path of the application's, or one of its links, as somebody who has not been there before. */
  open(pathOrUrl: string): Promise<Page>;
  /** What a page looks like, as docs/images/NAME.png: drawn anew where UPDATE_SCREENSHOTS=1. */
  picture(page: Page, name: string): Promise<void>;
}

/** What holds in an application's pages. A file in scenarios/ has one as its default export. */
export interface Scenario {
  /** As the outputs name it. */
  readonly application: string;
  readonly cases: Readonly<Record<string, (visit: Visit) => Promise<void>>>;
}

/** Where an application's pages are for now, and with what they are looked at. */
export interface Place {
  readonly browser: Browser;
  readonly origin: string;
}

const SCENARIOS = path.join(__dirname, "scenarios");
const IMAGES = path.join(__dirname, "..", "..", "docs", "images");
const LARGEST_IMAGE = 100_000;
/** Of a small phone, held upright. */
const NARROW = 320;

export function scenarios(): Scenario[] {
  const files = fs.readdirSync(SCENARIOS).filter((file) => file.endsWith(".ts"));
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return files.sort().map((file) => (require(path.join(SCENARIOS, file)) as { default: Scenario }).default);
}

/** Declares a scenario's cases as tests. */
export function declare({ application, cases }: Scenario, place: () => Place): void {
  describe(application, () => {
    for (const [title, run] of Object.entries(cases))
      it(title, async () => {
        const pages: Page[] = [];
        try {
          await run(visitTo(place(), pages));
          assert.ok(pages.length > 0, "no page was opened");
          for (const page of pages) await isSound(page);
        } finally {
          for (const page of pages) await page.close();
        }
      });
  });
}

function visitTo({ browser, origin }: Place, pages: Page[]): Visit {
  return {
    origin,
    async open(pathOrUrl) {
      const page = await browser.open(new URL(pathOrUrl, origin).href);
      pages.push(page);
      return page;
    },
    async picture(page, name) {
      const image = await page.screenshot();
      assert.ok(image.length < LARGEST_IMAGE, `the picture ${name} has ${image.length} bytes`);
      if (process.env.UPDATE_SCREENSHOTS === "1") fs.writeFileSync(path.join(IMAGES, `${name}.png`), image);
    },
  };
}

/** What every page promises, whatever it shows. */
export async function isSound(page: Page): Promise<void> {
  assert.deepEqual(page.faults(), []);
  assert.deepEqual(await page.accessibilityFaults(), []);
  await page.resize(NARROW, 640);
  const width = await page.evaluate<number>("document.documentElement.scrollWidth");
  assert.ok(width <= NARROW, `on a screen ${NARROW} pixels wide it is ${width} wide: it has to be scrolled sideways`);
}
