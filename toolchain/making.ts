import type { LockItem } from "./lock";
import type { Settings } from "./settings";

/** One item being made: the maker fills `stage`, which then becomes `final` by a rename. */
export interface Making {
  readonly name: string;
  readonly item: LockItem;
  readonly settings: Settings;
  readonly stage: string;
  /** Where it will lie; for what has to be written into files. */
  readonly final: string;
  readonly log: string;
  /** Recorded in the finished item's item.json. */
  readonly facts: Record<string, unknown>;
  readonly onWait: (holder: string) => void;
  /** Says what is being done right now. */
  readonly note: (text: string) => void;
}
