import { setTimeout as sleep } from "node:timers/promises";
import { type AccessibleNode, accessibilityFaults, nameOf, roleOf } from "./accessibility";
import type { DevTools, Send } from "./devtools";
import { faultIn, unexpected } from "./faults";
import { keysOf, strokes } from "./keys";

const PATIENCE_MS = 20_000;
const LOOK_AGAIN_MS = 50;
/** More than any page here has stops for the Tab key. */
const MOST_TABS = 40;
const WIDTH = 800;
const HEIGHT = 640;

interface Value<T> {
  readonly result: { readonly value: T };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}
interface Place {
  readonly x: number;
  readonly y: number;
  /** What lies on top of it, if something does. */
  readonly covered: string;
}

/** Where to press an element; a pointer meets whatever lies on top. */
const PLACE = `function () {
  this.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const { left, top, width, height } = this.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  const hit = document.elementFromPoint(x, y);
  return { x, y, covered: this.contains(hit) ? "" : (hit ? hit.outerHTML.slice(0, 80) : "the edge of the page") };
}`;

/** One page, used as a person uses it: elements are known by their role and their name, never by their markup. */
export class Page {
  private loads = 0;
  private readonly seen: string[] = [];
  private readonly expected: RegExp[] = [];

  private constructor(
    private readonly send: Send,
    private readonly dispose: () => Promise<void>,
  ) {}

  static async create(devtools: DevTools): Promise<Page> {
    const { browserContextId } = await devtools.send<{ browserContextId: string }>("Target.createBrowserContext");
    const target = { url: "about:blank", browserContextId, width: WIDTH, height: HEIGHT };
    const { targetId } = await devtools.send<{ targetId: string }>("Target.createTarget", target);
    const attach = { targetId, flatten: true };
    const { sessionId } = await devtools.send<{ sessionId: string }>("Target.attachToTarget", attach);
    const page = new Page(
      (method, params) => devtools.send(method, params, sessionId),
      async () => void (await devtools.send("Target.disposeBrowserContext", { browserContextId })),
    );
    devtools.hear(sessionId, (event) => {
      const fault = faultIn(event);
      if (fault) page.seen.push(fault);
      if (event.method === "Page.loadEventFired") page.loads++;
    });
    for (const domain of ["Page", "Runtime", "Log", "DOM", "Accessibility"]) await page.send(`${domain}.enable`);
    // Otherwise only one page at a time has the focus.
    await page.send("Emulation.setFocusEmulationEnabled", { enabled: true });
    const features = [
      { name: "prefers-color-scheme", value: "light" },
      { name: "prefers-reduced-motion", value: "reduce" },
    ];
    await page.send("Emulation.setEmulatedMedia", { features });
    await page.resize(WIDTH, HEIGHT);
    return page;
  }

  async goto(url: string): Promise<void> {
    const before = this.loads;
    const { errorText, loaderId } = await this.send<{ errorText?: string; loaderId?: string }>("Page.navigate", {
      url,
    });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    // Within a document nothing is loaded.
    if (loaderId) await this.until(`${url} is loaded`, () => Promise.resolve(this.loads > before));
  }

  async reload(): Promise<void> {
    const before = this.loads;
    await this.send("Page.reload");
    await this.until("the page is loaded again", () => Promise.resolve(this.loads > before));
  }

  /** What an expression comes to, in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    return valueOf(
      await this.send<Value<T>>("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true }),
    );
  }

  /** All text that can be seen. */
  text(): Promise<string> {
    return this.evaluate<string>("document.body?.innerText ?? ''");
  }

  /** Waits until a text can be seen. */
  async sees(text: string | RegExp): Promise<void> {
    await this.until(`"${String(text)}" can be seen`, async () => {
      const all = await this.text();
      return typeof text === "string" ? all.includes(text) : text.test(all);
    });
  }

  /** What a text field holds. */
  async value(role: string, name: string): Promise<string> {
    return this.on<string>(await this.the(role, name), "function () { return this.value; }");
  }

  async click(role: string, name: string): Promise<void> {
    const { x, y, covered } = await this.on<Place>(await this.the(role, name), PLACE);
    if (covered) throw new Error(`${role} "${name}" cannot be clicked on: ${covered} lies on top`);
    for (const type of ["mouseMoved", "mousePressed", "mouseReleased"])
      await this.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
  }

  /** Clicks on a field and types. */
  async fill(role: string, name: string, text: string): Promise<void> {
    await this.click(role, name);
    await this.type(text);
  }

  async press(key: string): Promise<void> {
    for (const stroke of strokes(key)) await this.send("Input.dispatchKeyEvent", stroke);
  }

  /** Types into whatever has the focus. */
  async type(text: string): Promise<void> {
    for (const key of keysOf(text)) await this.press(key);
  }

  /** Goes there by the Tab key alone. */
  async tabTo(role: string, name: string): Promise<void> {
    const passed: string[] = [];
    while (passed.length < MOST_TABS) {
      const here = await this.focused();
      if (here === `${role} "${name}"`) return;
      passed.push(here);
      await this.press("Tab");
    }
    throw new Error(`the Tab key does not lead to ${role} "${name}", but to ${[...new Set(passed)].join(", ")}`);
  }

  /** Role and name of what has the focus, such as button "Send". */
  async focused(): Promise<string> {
    const { result } = await this.send<{ result: { objectId: string } }>("Runtime.evaluate", {
      expression: "document.activeElement",
    });
    const { nodes } = await this.send<{ nodes: AccessibleNode[] }>("Accessibility.getPartialAXTree", {
      objectId: result.objectId,
      fetchRelatives: false,
    });
    return nodes.map((node) => `${roleOf(node)} "${nameOf(node)}"`).join(", ");
  }

  async hasFocus(role: string, name: string): Promise<void> {
    await this.until(
      `${role} "${name}" has the focus`,
      async () => (await this.focused()) === `${role} "${name}"`,
      () => this.focused(),
    );
  }

  resize(width: number, height: number): Promise<unknown> {
    return this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  }

  /** A PNG of what can be seen, without the caret, which blinks. */
  async screenshot(): Promise<Buffer> {
    await this.evaluate("document.activeElement?.blur()");
    const { data } = await this.send<{ data: string }>("Page.captureScreenshot", {
      format: "png",
      optimizeForSpeed: false,
    });
    return Buffer.from(data, "base64");
  }

  async accessibilityFaults(): Promise<string[]> {
    const { nodes } = await this.send<{ nodes: AccessibleNode[] }>("Accessibility.getFullAXTree");
    const language = await this.evaluate<string>("document.documentElement.lang");
    const ids = await this.evaluate<string[]>("[...document.querySelectorAll('[id]')].map(({ id }) => id)");
    return accessibilityFaults({ nodes, language, ids });
  }

  /** A fault that belongs to what is tried, such as the answer to something that is gone. It has to come. */
  expectFault(pattern: RegExp): void {
    this.expected.push(pattern);
  }

  /** What went wrong so far and was not expected. */
  faults(): string[] {
    return unexpected(this.seen, this.expected);
  }

  close(): Promise<void> {
    return this.dispose();
  }

  /** The one element of that role and name, once it can be perceived. */
  private async the(role: string, name: string): Promise<string> {
    let found: { backendDOMNodeId: number }[] = [];
    await this.until(`there is one ${role} "${name}"`, async () => {
      const { root } = await this.send<{ root: { backendNodeId: number } }>("DOM.getDocument", { depth: 0 });
      const { nodes } = await this.send<{ nodes: (AccessibleNode & { backendDOMNodeId: number })[] }>(
        "Accessibility.queryAXTree",
        { backendNodeId: root.backendNodeId, accessibleName: name, role },
      );
      found = nodes.filter(({ ignored }) => !ignored);
      return found.length === 1;
    });
    const { object } = await this.send<{ object: { objectId: string } }>("DOM.resolveNode", {
      backendNodeId: found[0]?.backendDOMNodeId,
    });
    return object.objectId;
  }

  private async on<T>(objectId: string, functionDeclaration: string): Promise<T> {
    return valueOf(
      await this.send<Value<T>>("Runtime.callFunctionOn", { objectId, functionDeclaration, returnByValue: true }),
    );
  }

  private async until(
    what: string,
    holds: () => Promise<boolean>,
    instead: () => Promise<string> = () => this.text(),
  ): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (!(await holds().catch(betweenPages))) {
      if (Date.now() > end) {
        const found = await instead().catch((error: Error) => error.message);
        throw new Error(
          `not within ${PATIENCE_MS / 1000} s: ${what}; instead: ${found} ${this.seen.join("; ")}`.trim(),
        );
      }
      await sleep(LOOK_AGAIN_MS);
    }
  }
}

/** While one document takes another's place there is nothing to look at. */
function betweenPages(error: Error): false {
  if (/context was destroyed|Cannot find (default execution )?context|target navigated|No node/i.test(error.message))
    return false;
  throw error;
}

function valueOf<T>({ result, exceptionDetails }: Value<T>): T {
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}
