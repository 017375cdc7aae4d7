import { Unavailable } from "./store";

/** Lets so much work run at once, keeps some waiting, and turns away the rest. */
export class Limit {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly atOnce: number,
    private readonly queued: number,
  ) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.atOnce) this.#running++;
    else if (this.#waiting.length < this.queued) await new Promise<void>((turn) => this.#waiting.push(turn));
    else throw new Unavailable("too much to do at once");
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
