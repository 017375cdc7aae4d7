import { ADMISSION } from "../admission";
import { GATES, type Gate } from "./rule";

/** A rule over one object holds everywhere; in the API server where it has an expression. */
export const gatesOf = (id: string): readonly Gate[] =>
  GATES.filter((gate) => gate !== "admission" || Object.hasOwn(ADMISSION, id));
