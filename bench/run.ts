import * as fs from "node:fs";
import * as path from "node:path";
import type { Contender, Place, Step } from "./contender";
import { type Snapshot, differencesBetween, differencesFromWanted, snapshot } from "./equality";
import { type Measurement, measure } from "./measure";
import { NAMESPACES, objectSets } from "./objects";
import type { Size } from "./options";
import type { Result } from "./results";
import { type Server, startServer } from "./server";

interface Plan {
  readonly sizes: readonly Size[];
  readonly trials: number;
  readonly contenders: readonly Contender[];
  readonly bin: (name: string) => string;
  /** Everything that the run writes is below. */
  readonly dir: string;
  readonly say: (line: string) => void;
}

/** All samples of a run. Whatever a contender leaves that is not as asked, or not as another left it, ends the run. */
export async function run({ sizes, trials, contenders, bin, dir, say }: Plan): Promise<Result[]> {
  const book = new Book();
  const here = contenders.filter(({ absent }) => absent === undefined);
  for (let trial = 0; trial < trials; trial++) {
    for (const { n, contenders: names } of [{ n: 0, contenders: sizes.flatMap((size) => size.contenders) }, ...sizes]) {
      const chosen = here.filter(({ name, empty }) => (names as string[]).includes(name) && (n > 0 || empty));
      if (chosen.length === 0) continue;
      say(`trial ${trial + 1} of ${trials}, ${n} objects: ${chosen.map(({ name }) => name).join(", ")}`);
      const server = await startServer(path.join(dir, "server"), bin);
      try {
        await warmUp(server, bin("kubectl"), dir, n);
        await pass(rotated(chosen, trial), { server, n, dir, trial, book, say });
      } finally {
        await server.close();
      }
    }
  }
  return book.results();
}

/** Another one begins in each trial, so that none always finds the server young. */
const rotated = <T>(items: readonly T[], by: number): T[] =>
  items.map((_, index) => items[(index + by) % items.length] as T);

/** The server's first answers about each kind are slow; nobody is to pay for them. */
async function warmUp(server: Server, kubectl: string, dir: string, n: number): Promise<void> {
  const file = path.join(dir, "warm.json");
  const namespaces = NAMESPACES.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
  const env = { PATH: process.env.PATH, HOME: dir, KUBECONFIG: server.kubeconfig };
  const call = async (items: readonly object[], ...words: string[]): Promise<void> => {
    fs.writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await measure([{ words: [kubectl, ...words, "-f", file], cwd: dir, env }], path.join(dir, "warm.log"));
  };
  await call(namespaces, "apply", "--server-side");
  if (n === 0) return;
  const { base } = objectSets(Math.min(n, 30));
  await call(base, "apply", "--server-side");
  await call(base, "delete");
}

interface Pass {
  readonly server: Server;
  readonly n: number;
  readonly dir: string;
  readonly trial: number;
  readonly book: Book;
  readonly say: (line: string) => void;
}

async function pass(contenders: readonly Contender[], { server, n, dir, trial, book, say }: Pass): Promise<void> {
  const sets = objectSets(n);
  const reference = new Map<string, { by: string; found: Snapshot }>();
  for (const contender of contenders) {
    const place: Place = { dir: path.join(dir, contender.name), server };
    fs.rmSync(place.dir, { recursive: true, force: true });
    fs.mkdirSync(place.dir, { recursive: true });
    const log = path.join(dir, `${contender.name}.log`);
    const setUp = contender.setUp?.(place) ?? [];
    if (setUp.length > 0) await measure(setUp, log);
    const steps = n === 0 ? (contender.empty?.(place) ?? []) : contender.steps(place, sets);
    for (const step of steps) {
      step.prepare?.();
      const measured = await measure(step.commands, log);
      book.note(contender.name, step.case, n, measured);
      say(`  ${contender.name} ${step.case}: ${measured.seconds.toFixed(2)} s`);
      await compare(contender.name, step, server, reference, trial);
    }
    fs.rmSync(place.dir, { recursive: true, force: true });
  }
}

async function compare(
  name: string,
  { case: what, leaves }: Step,
  server: Server,
  reference: Map<string, { by: string; found: Snapshot }>,
  trial: number,
): Promise<void> {
  if (leaves === undefined) return;
  const found = await snapshot(server.api);
  const wrong = differencesFromWanted(leaves, found);
  if (wrong.length > 0)
    throw new Error(unequal(`what ${name} left on the server after "${what}" is not what was asked`, wrong));
  const first = reference.get(what);
  if (!first) return void reference.set(what, { by: name, found });
  const differing = differencesBetween(first.found, found);
  if (differing.length > 0)
    throw new Error(
      unequal(`after "${what}" (trial ${trial + 1}), ${first.by} and ${name} left different objects`, differing),
    );
}

const unequal = (what: string, lines: readonly string[]): string =>
  `${what}, so their times cannot be compared:\n${lines
    .slice(0, 5)
    .map((line) => `  ${line.slice(0, 1500)}`)
    .join("\n")}\n  (${lines.length} in all)`;

interface Entry extends Omit<Result, "seconds" | "cpu"> {
  seconds: number[];
  cpu: Measurement["cpu"][];
  peakBytes: number;
}

/** Samples as they come in. */
class Book {
  private readonly found = new Map<string, Entry>();

  note(contender: string, what: Result["case"], n: number, { seconds, peakBytes, cpu }: Measurement): void {
    const key = JSON.stringify([contender, what, n]);
    const entry = this.found.get(key) ?? { contender, case: what, n, seconds: [], peakBytes: 0, cpu: [] };
    entry.seconds.push(seconds);
    entry.cpu.push(cpu);
    entry.peakBytes = Math.max(entry.peakBytes, peakBytes);
    this.found.set(key, entry);
  }

  results(): Result[] {
    return [...this.found.values()];
  }
}
