import { into } from "../manifest";
import type { PodTemplate } from "../podTemplate";

/** A pod in a user namespace of its own, where root is nobody on the node. */
export const ownUsers = (template: PodTemplate): boolean => into(template.spec, "hostUsers").value === false;

/** What cannot be set on Windows is not asked for there. */
export const onWindows = (template: PodTemplate): boolean => into(template.spec, "os", "name").value === "windows";
