import { PolicyPack } from "@pulumi/policy";
import { validateObject, validateStack } from "./dispatch";
import { sectionSchema } from "./settings";

// Constructing the pack starts its server, so tests import the modules above and never this one.
new PolicyPack("platform", {
  enforcementLevel: "mandatory",
  policies: [
    {
      name: "objects",
      description: "Rules that one object can break by itself.",
      configSchema: { properties: sectionSchema("objects") },
      validateResource: validateObject,
    },
    {
      name: "stack",
      description: "Rules that hold between the objects of a stack.",
      configSchema: { properties: sectionSchema("stack") },
      validateStack,
    },
  ],
});
