import assert from "node:assert/strict";
import type { Page } from "../page";
import type { Scenario, Visit } from "../scenario";

const PASSPHRASE = "Passphrase (optional)";

async function linkTo(page: Page): Promise<string> {
  await page.sees("Your link is ready");
  return page.value("textbox", "Link");
}

async function made(visit: Visit, secret: string, passphrase?: string): Promise<string> {
  const page = await visit.open("/");
  await page.fill("textbox", "Your secret", secret);
  if (passphrase !== undefined) await page.fill("textbox", PASSPHRASE, passphrase);
  await page.click("button", "Create the link");
  return linkTo(page);
}

const scenario: Scenario = {
  application: "one-time-secret",
  cases: {
    async "[000.15] shows a secret once, to whoever has the link"(visit) {
      const secret = "The safe is behind the painting.\nLeft to 12, right to 7, left to 31.";
      const sender = await visit.open("/");
      await sender.fill("textbox", "Your secret", secret);
      await visit.picture(sender, "one-time-secret-write");
      await sender.click("button", "Create the link");
      const link = await linkTo(sender);
      assert.ok(link.startsWith(`${visit.origin}/s/`), link);
      assert.doesNotMatch(await sender.text(), /painting/);

      const reader = await visit.open(link);
      await reader.sees("It is shown only once");
      assert.doesNotMatch(await reader.text(), /painting/);
      await reader.click("button", "Show the secret");
      await reader.sees("Here is the secret");
      assert.equal(await reader.value("textbox", "The secret"), secret);
      await visit.picture(reader, "one-time-secret-read");

      reader.expectFault(/410/);
      await reader.reload();
      await reader.sees("This cannot be opened");
      await reader.sees("somebody else has read it");
    },

    async "asks for the passphrase, says when it is wrong, and opens with the right one"(visit) {
      const reader = await visit.open(await made(visit, "hush 🤫", "open sesame"));
      await reader.fill("textbox", "Passphrase", "open barley");
      reader.expectFault(/403/);
      await reader.click("button", "Show the secret");
      await reader.sees("That is not the passphrase");
      await reader.hasFocus("textbox", "Passphrase");
      await reader.evaluate("document.activeElement.select()");
      await reader.type("open sesame");
      await reader.click("button", "Show the secret");
      await reader.sees("Here is the secret");
      assert.equal(await reader.value("textbox", "The secret"), "hush 🤫");
    },

    async "can be used with the keyboard alone, by sender and reader"(visit) {
      const sender = await visit.open("/");
      await sender.hasFocus("textbox", "Your secret");
      await sender.type("written with keys");
      await sender.tabTo("textbox", PASSPHRASE);
      await sender.type("sesame");
      await sender.tabTo("button", "Create the link");
      await sender.press("Enter");
      const link = await linkTo(sender);
      // So that somebody who does not see the page hears what has changed.
      await sender.hasFocus("heading", "Your link is ready");
      await sender.tabTo("button", "Copy the link");
      await sender.tabTo("button", "Write another one");
      await sender.press("Space");
      await sender.hasFocus("textbox", "Your secret");
      assert.equal(await sender.value("textbox", "Your secret"), "");

      const reader = await visit.open(link);
      await reader.hasFocus("textbox", "Passphrase");
      await reader.type("sesame");
      await reader.press("Enter");
      await reader.hasFocus("textbox", "The secret");
      assert.equal(await reader.value("textbox", "The secret"), "written with keys");
    },

    async "says what is missing, beside the field"(visit) {
      const page = await visit.open("/");
      await page.click("button", "Create the link");
      await page.sees("Write something first.");
      await page.hasFocus("textbox", "Your secret");
    },

    async "says what is wrong with half a link, and asks nobody for it"(visit) {
      const page = await visit.open(`/s/${"A".repeat(22)}`);
      await page.sees("the part after the # is missing or cut off");
      assert.equal(
        await page.evaluate("performance.getEntriesByType('resource').some(({ name }) => name.includes('/api/'))"),
        false,
      );
    },
  },
};
export default scenario;
