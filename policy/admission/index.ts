import type { AdmissionRule } from "./cel";
import { OBJECTS } from "./objects";
import { POD_SECURITY } from "./podSecurity";
import { WORKLOADS } from "./workloads";

/** The rules that the API server can hold, by their ids. The others need more than one object, or more than CEL can say. */
export const ADMISSION: Readonly<Record<string, AdmissionRule>> = { ...POD_SECURITY, ...WORKLOADS, ...OBJECTS };
