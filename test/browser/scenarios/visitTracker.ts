import assert from "node:assert/strict";
import type { Page } from "../page";
import type { Scenario } from "../scenario";

/** Nobody else visits in a test: what watches the application asks whether it is ready, and is not counted. */
async function count(page: Page): Promise<number> {
  const shown = /^([\d,]+)\s+visits?$/m;
  await page.sees(shown);
  return Number(shown.exec(await page.text())?.[1]?.replaceAll(",", ""));
}

const scenario: Scenario = {
  application: "visit-tracker",
  cases: {
    async "[003.1] counts one more with each visit, and with each reload"(visit) {
      const page = await visit.open("/");
      const first = await count(page);
      await page.reload();
      assert.equal(await count(page), first + 1);
      assert.equal(await count(await visit.open("/")), first + 2);
      await visit.picture(page, "visit-tracker");
    },

    async "says in its title what it counted, for the list of open pages"(visit) {
      const page = await visit.open("/");
      const visits = await count(page);
      assert.match(
        await page.evaluate<string>("document.title"),
        new RegExp(`^${visits.toLocaleString("en")} visits? `),
      );
    },

    async "leads back from a page that does not exist"(visit) {
      const page = await visit.open("/nowhere");
      page.expectFault(/404/);
      await page.sees("To the count");
      await page.click("link", "To the count");
      await count(page);
    },
  },
};
export default scenario;
