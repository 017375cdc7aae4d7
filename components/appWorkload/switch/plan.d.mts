type Pods = readonly object[];
type Counts = Readonly<Record<string, number>>;
type Colour = "blue" | "green";

export interface Planned {
  readonly target: Colour;
  readonly old?: Colour;
  readonly stays: boolean;
}

export function otherThan(colour: Colour): Colour;
export function planOf(
  release: string,
  live: string | undefined,
  held: Readonly<Partial<Record<Colour, string>>>,
): Planned;
export function sharesOf(
  strategy: { readonly type: string; readonly steps: readonly number[] },
  old?: Colour,
): readonly number[];
export function weightsOf(target: Colour, share: number): Counts;
export function isRolledOut(deployment: object): boolean;
export function hopeless(pods: Pods): string | undefined;
export function ailments(deployment: object, pods: Pods): string;
export function tallyOf(answer: object, label: string): Counts;
export function since(before: Counts, now: Counts): Counts;
export function against(
  counted: { readonly codes: Counts; readonly buckets: Counts },
  limits: { readonly errors: number; readonly latency: number },
): string | undefined;
export function refusal(failures: readonly string[]): string | undefined;
