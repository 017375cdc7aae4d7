import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const PUBLIC = join(__dirname, "../public");

/** As much of an element as the pages' scripts use. */
class Element {
  textContent = "";
  value = "";
  rows = 0;
  readonly #attributes = new Map<string, string>();
  readonly #listeners: Record<string, (event: object) => void> = {};

  constructor(
    readonly id: string,
    public hidden: boolean,
    private readonly page: Page,
  ) {}

  getAttribute = (name: string): string | null => this.#attributes.get(name) ?? null;
  setAttribute = (name: string, value: string): void => void this.#attributes.set(name, value);
  removeAttribute = (name: string): void => void this.#attributes.delete(name);
  addEventListener = (type: string, listener: (event: object) => void): void => void (this.#listeners[type] = listener);
  focus = (): void => void (this.page.focused = this.id);
  select = (): void => void (this.page.selected = this.id);
  reset = (): void => ["secret", "passphrase"].forEach((id) => (this.page.element(id).value = ""));
  fire = (type: string): void => this.#listeners[type]?.({ preventDefault: () => undefined });
}

/** A page with its own script, as a browser without eyes has it. What people see is for a real one to test. */
export class Page {
  focused = "";
  selected = "";
  copied = "";
  readonly #elements: ReadonlyMap<string, Element>;
  static #opened = 0;

  private constructor(html: string) {
    const tags = [...html.matchAll(/<\w+[^>]*?\sid="([^"]+)"[^>]*>/g)];
    this.#elements = new Map(tags.map(([tag, id = ""]) => [id, new Element(id, /\shidden\b/.test(tag), this)]));
    this.element("ttl", false).value = "86400";
  }

  static async open(file: string, url: string): Promise<Page> {
    const html = readFileSync(join(PUBLIC, file), "utf8");
    const page = new Page(html);
    const { fetch } = globalThis;
    const place = new URL(url);
    const own = {
      document: { getElementById: (id: string) => page.element(id), execCommand: () => false },
      location: { origin: place.origin, pathname: place.pathname, hash: place.hash, reload: () => undefined },
      navigator: { clipboard: { writeText: (text: string) => Promise.resolve(void (page.copied = text)) } },
      addEventListener: () => undefined,
      fetch: (path: string, init?: RequestInit) => fetch(new URL(path, place), init),
    };
    for (const [name, value] of Object.entries(own))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    const script = /<script type="module" src="\/assets\/([^"]+)"/.exec(html)?.[1] ?? "";
    // Another address each time, or the script would not run again.
    await import(`${pathToFileURL(join(PUBLIC, script)).href}?${Page.#opened++}`);
    return page;
  }

  element(id: string, required = true): Element {
    const found = this.#elements.get(id);
    if (!found && required) throw new Error(`the page has no #${id}`);
    return found ?? new Element(id, true, this);
  }

  /** What a visitor reads, of the parts that come and go. */
  shown = (...ids: string[]): string[] => ids.filter((id) => !this.element(id).hidden);
}
