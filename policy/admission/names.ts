import type { Subject } from "./cel";

export const SUBJECTS: readonly Subject[] = ["pods", "objects"];
export const LEVELS_HELD = ["mandatory", "advisory"] as const;
export type LevelHeld = (typeof LEVELS_HELD)[number];

export const roleOf = (subject: Subject, level: LevelHeld): string =>
  level === "mandatory" ? subject : `${subject}-${level}`;

/** All that an environment can have. */
export const ROLES: readonly string[] = SUBJECTS.flatMap((subject) =>
  LEVELS_HELD.map((level) => roleOf(subject, level)),
);

/** Of the policy and its binding, in the whole cluster. */
export const policyName = (environment: string, role: string): string => `${environment}-policies-${role}`;
