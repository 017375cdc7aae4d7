import { type FenceSpec, fence, required, written } from "../lib/fence";

/**
 * What a role cannot say: whoever may write a pod template may have the pod show what it is given. For the groups named, a
 * template is therefore given nothing, or stays as it is. Expressions in CEL, which the API server evaluates.
 */
const podSpecOf = (object: string): string =>
  `has(${object}.spec.jobTemplate) ? ${object}.spec.jobTemplate.spec.template.spec : ` +
  `has(${object}.spec.template) ? ${object}.spec.template.spec : ${object}.spec`;

const listed = (field: string): string => `(has(variables.pod.${field}) ? variables.pod.${field} : [])`;

const VOLUMES = ["configMap", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"];

const unless = (unchanged: string, expression: string, what: string): ReturnType<typeof required> =>
  required(`${unchanged} || ${expression}`, what);

const TEMPLATE_STAYS = "variables.unchanged";

const membersOf = (groups: readonly string[]): FenceSpec["matchConditions"] => [
  { name: "groups", expression: `request.userInfo.groups.exists(group, group in ${JSON.stringify(groups)})` },
];

/** No Secret, and no identity that could ask for one, in a template that these groups write. */
export const templateFence = (groups: readonly string[]): FenceSpec =>
  fence(
    [
      written("", "pods", "replicationcontrollers"),
      written("apps", "deployments", "statefulsets", "daemonsets", "replicasets"),
      written("batch", "jobs", "cronjobs"),
    ],
    {
      matchConditions: membersOf(groups),
      variables: [
        { name: "pod", expression: podSpecOf("object") },
        { name: "unchanged", expression: `oldObject != null && (${podSpecOf("oldObject")}) == variables.pod` },
        {
          name: "containers",
          expression: ["containers", "initContainers", "ephemeralContainers"].map(listed).join(" + "),
        },
      ],
      validations: [
        unless(
          TEMPLATE_STAYS,
          "variables.containers.all(container, !has(container.env) || container.env.all(variable, " +
            "!has(variable.valueFrom) || !has(variable.valueFrom.secretKeyRef))) && " +
            "variables.containers.all(container, !has(container.envFrom) || container.envFrom.all(source, !has(source.secretRef)))",
          "a developer may not give a Secret to a container (env, envFrom), nor change a pod template that has one: it could be made to show it. Restarting, scaling and deleting are allowed; a new version comes by an update of the stack.",
        ),
        unless(
          TEMPLATE_STAYS,
          `${listed("volumes")}.all(volume, ${VOLUMES.map((kind) => `has(volume.${kind})`).join(" || ")} || ` +
            "(has(volume.projected) && volume.projected.sources.all(source, !has(source.secret))))",
          `a developer may not give a Secret to a pod as a volume, nor change a pod template that has one; allowed are ${VOLUMES.join(", ")}, and projected ones without a Secret.`,
        ),
        unless(
          TEMPLATE_STAYS,
          '!has(variables.pod.serviceAccountName) || variables.pod.serviceAccountName in ["", "default"]',
          "a developer may not run a pod as another ServiceAccount than default: some may read from Vault.",
        ),
      ],
    },
  );

const same = (field: string, none: string): string =>
  `(has(object.spec.${field}) ? object.spec.${field} : ${none}) == ` +
  `(oldObject != null && has(oldObject.spec.${field}) ? oldObject.spec.${field} : ${none})`;

/** A Service that takes an address outside of the cluster's own could take another environment's traffic. */
export const serviceFence = (groups: readonly string[]): FenceSpec =>
  fence([written("", "services")], {
    matchConditions: membersOf(groups),
    validations: [
      unless(
        same("type", '"ClusterIP"'),
        'object.spec.type == "ClusterIP"',
        "a developer may not expose a Service: its type is ClusterIP, or stays as it is.",
      ),
      unless(
        same("externalIPs", "[]"),
        "!has(object.spec.externalIPs)",
        "a developer may not give a Service addresses of its own (externalIPs).",
      ),
      unless(
        same("loadBalancerIP", '""'),
        "!has(object.spec.loadBalancerIP)",
        "a developer may not choose the address of a load balancer.",
      ),
    ],
  });
