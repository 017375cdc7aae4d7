import * as pulumi from "@pulumi/pulumi";
import { clusterFacts } from "../../../components/lib/cluster";
import { readKubeconfig } from "../../../components/lib/kubeconfig";
import { program } from "../../../components/lib/program";
import { createProviders } from "../../../components/lib/providers";
import { enforcePolicies } from "../../../policy/inProgram";
import { create } from "../plain/create";

/** The benchmark's objects, in the way in which the platform makes its own: its providers, its rules, its look at the cluster. */
export = program(async () => {
  const kubeconfig = readKubeconfig();
  const { kubernetes } = createProviders(kubeconfig, await clusterFacts(kubeconfig));
  enforcePolicies({ stack: pulumi.getStack(), imagesFrom: ["registry.example.test/"] });
  create({ provider: kubernetes });
});
