/** Collects what is wrong with an input, so that the user sees all of it at once. */
export class Faults {
  private readonly found: string[] = [];

  add(place: string, value: unknown, allowed: string): void {
    const shown = value === undefined ? "nothing" : JSON.stringify(value);
    this.found.push(`${place}: found ${shown}, allowed is ${allowed}`);
  }

  get any(): boolean {
    return this.found.length > 0;
  }

  throwIfAny(what: string, fix: string): void {
    if (!this.any) return;
    throw new Error(`${what}:\n${this.found.map((line) => `  - ${line}`).join("\n")}\n${fix}`);
  }
}
