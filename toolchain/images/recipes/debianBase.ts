import type { DebianBaseRecipe } from "../lock";
import type { Assembly, RecipeContext } from "./context";
export function assembleDebianBase(recipe: DebianBaseRecipe, context: RecipeContext): Promise<Assembly> {
  return Promise.reject(new Error(recipe.suite + context.scratch));
}
