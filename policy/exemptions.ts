import type { Exemption } from "./exemption";

/** What may break a rule, why, on whose word and until when. */
export const EXEMPTIONS: readonly Exemption[] = [];
