interface Key {
  readonly key: string;
  readonly code?: string;
  readonly windowsVirtualKeyCode?: number;
  readonly text?: string;
}

const NAMED: Readonly<Record<string, Key>> = {
  Tab: { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 },
  Enter: { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" },
  Escape: { key: "Escape", code: "Escape", windowsVirtualKeyCode: 27 },
  Space: { key: " ", code: "Space", windowsVirtualKeyCode: 32, text: " " },
  ArrowDown: { key: "ArrowDown", code: "ArrowDown", windowsVirtualKeyCode: 40 },
  ArrowUp: { key: "ArrowUp", code: "ArrowUp", windowsVirtualKeyCode: 38 },
};

/** A key pressed and let go: a name, or the character it writes. */
export function strokes(name: string): object[] {
  const key = NAMED[name] ?? ([...name].length === 1 ? { key: name, text: name } : undefined);
  if (!key) throw new Error(`key "${name}": neither a single character nor one of ${Object.keys(NAMED).join(", ")}`);
  const { text, ...rest } = key;
  return [
    { ...rest, type: text === undefined ? "rawKeyDown" : "keyDown", ...(text !== undefined && { text }) },
    { ...rest, type: "keyUp" },
  ];
}

/** The keys that write a text. */
export const keysOf = (text: string): string[] => [...text].map((each) => (each === "\n" ? "Enter" : each));
