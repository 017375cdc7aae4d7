import type { NodeRecipe } from "../lock";
import type { Assembly, RecipeContext } from "./context";
export function assembleNode(recipe: NodeRecipe, context: RecipeContext): Promise<Assembly> {
  return Promise.reject(new Error(recipe.node + context.scratch));
}
