import type { RedisMode } from "./settings";

/** How many servers a Redis has, and what they are to each other. */
export interface RedisSize {
  readonly mode: RedisMode;
  /** Servers that take writes, each for its part of the keys. */
  readonly masters: number;
  /** Copies of each master. */
  readonly replicas: number;
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly usual: number;
}

/** What each mode can be; a sentinel runs beside each server, and it takes three to agree on anything. */
export const SIZES: Readonly<Record<RedisMode, { readonly masters: Range; readonly replicas: Range }>> = {
  standalone: { masters: { least: 1, most: 1, usual: 1 }, replicas: { least: 0, most: 0, usual: 0 } },
  sentinel: { masters: { least: 1, most: 1, usual: 1 }, replicas: { least: 2, most: 6, usual: 2 } },
  cluster: { masters: { least: 3, most: 16, usual: 3 }, replicas: { least: 1, most: 3, usual: 1 } },
};

export const podsOf = ({ masters, replicas }: RedisSize): number => masters * (1 + replicas);
