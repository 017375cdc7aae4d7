/** A node of the tree that a browser gives to screen readers. */
export interface AccessibleNode {
  readonly ignored: boolean;
  readonly role?: { readonly value?: unknown };
  readonly name?: { readonly value?: unknown };
  readonly properties?: readonly { readonly name: string; readonly value: { readonly value?: unknown } }[];
}

export interface Sight {
  readonly nodes: readonly AccessibleNode[];
  /** As the document says, empty where it does not. */
  readonly language: string;
  /** Of every element that has one. */
  readonly ids: readonly string[];
}

const NAMED = [
  ...["button", "checkbox", "combobox", "heading", "image", "link", "listbox", "radio", "searchbox", "slider"],
  ...["spinbutton", "switch", "tab", "textbox"],
];

export const roleOf = (node: AccessibleNode): string => textOf(node.role?.value);
export const nameOf = (node: AccessibleNode): string => textOf(node.name?.value);
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** What keeps somebody who does not see the page from using it. */
export function accessibilityFaults({ nodes, language, ids }: Sight): string[] {
  const seen = nodes.filter(({ ignored }) => !ignored);
  const count = (role: string, level?: number): number =>
    seen.filter((node) => roleOf(node) === role && (level === undefined || levelOf(node) === level)).length;
  const faults: string[] = [];
  if (!seen.some((node) => roleOf(node) === "RootWebArea" && nameOf(node).trim())) faults.push("the page has no title");
  if (!/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/.test(language))
    faults.push(`html lang="${language}": give a language such as "en"`);
  if (count("main") !== 1) faults.push(`${count("main")} elements are main: one is wanted`);
  if (count("heading", 1) !== 1) faults.push(`${count("heading", 1)} headings are of level 1: one is wanted`);
  for (const node of seen)
    if (NAMED.includes(roleOf(node)) && !nameOf(node).trim()) faults.push(`a ${roleOf(node)} has no name`);
  for (const id of new Set(ids.filter((each, index) => ids.indexOf(each) !== index)))
    faults.push(`id="${id}" is there more than once`);
  return faults;
}

function levelOf({ properties = [] }: AccessibleNode): number | undefined {
  const level = properties.find(({ name }) => name === "level")?.value.value;
  return typeof level === "number" ? level : undefined;
}
