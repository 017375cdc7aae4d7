import * as k8s from "@pulumi/kubernetes";
import { PolicyPack, validateResourceOfType } from "@pulumi/policy";

new PolicyPack("plain", {
  policies: [
    {
      name: "non-root",
      description: "Pods do not run as root.",
      enforcementLevel: "mandatory",
      validateResource: validateResourceOfType(k8s.apps.v1.Deployment, (deployment, _args, reportViolation) => {
        if (deployment.spec?.template?.spec?.securityContext?.runAsNonRoot !== true)
          reportViolation("spec.template.spec.securityContext.runAsNonRoot is not true");
      }),
    },
  ],
});
