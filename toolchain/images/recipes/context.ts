import type { Layer } from "../layer";
import type { Sources } from "../sources";
import type { StoredLayer } from "../store";

export interface RecipeContext {
  sources: Sources;
  /** An empty directory that is deleted when the image is done. */
  scratch: string;
  /** Commands append their output here. */
  log: string;
  /** Builds another image of the lock first and gives its layers. */
  base: (name: string) => Promise<StoredLayer[]>;
  /** The text of a file of those layers. */
  readBelow: (layers: StoredLayer[], path: string) => Promise<string>;
}

/** What a recipe makes: a layer on top of those of another image. */
export interface Assembly {
  below: StoredLayer[];
  layer: Layer;
  environment?: Record<string, string>;
  /** Name and version of what went in. */
  inputs: Record<string, string>;
}
