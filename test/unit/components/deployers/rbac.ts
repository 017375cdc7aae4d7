import { deployerUser, DEPLOYERS_GROUP } from "../../../../components/lib/deployer";

/** As much of Kubernetes' role-based access control as decides who may do what. */
export interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** A role or a binding, as the API server has it. */
export interface Granting {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly Subject[];
}

export interface Question {
  readonly verb: string;
  readonly group: string;
  /** With its subresource. @example "pods/log" */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface Who {
  readonly user: string;
  readonly groups: readonly string[];
}

export const deployer = (stack: string): Who => ({ user: deployerUser(stack), groups: [DEPLOYERS_GROUP] });

const isMeant = ({ user, groups }: Who, { kind, name, namespace }: Subject): boolean =>
  kind === "Group" ? groups.includes(name) : user === `system:serviceaccount:${namespace}:${name}`;

const fits = (
  { apiGroups = [], resources = [], verbs, resourceNames = [] }: Rule,
  { verb, group, resource, name }: Question,
): boolean =>
  apiGroups.includes(group) &&
  resources.includes(resource) &&
  verbs.includes(verb) &&
  (resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name)));

export class Rights {
  constructor(private readonly objects: readonly Granting[]) {}

  /** Everything that holds for somebody in a namespace, or in the cluster. */
  rulesOf(who: Who, namespace?: string): Rule[] {
    return this.objects
      .filter(
        ({ kind, metadata, subjects = [] }) =>
          (kind === "ClusterRoleBinding" || (kind === "RoleBinding" && metadata.namespace === namespace)) &&
          subjects.some((subject) => isMeant(who, subject)),
      )
      .flatMap(({ roleRef, metadata }) => {
        const found = this.objects.find(
          (each) =>
            each.kind === roleRef?.kind &&
            each.metadata.name === roleRef.name &&
            (roleRef.kind === "ClusterRole" || each.metadata.namespace === metadata.namespace),
        );
        return found?.rules ?? [];
      });
  }

  allow(who: Who, question: Question): boolean {
    return this.rulesOf(who, question.namespace).some((rule) => fits(rule, question));
  }

  /** What of these rules somebody may not give to others, as they do not have it themselves. */
  beyond(who: Who, rules: readonly Rule[], namespace?: string): Question[] {
    return rules.flatMap(({ apiGroups = [], resources = [], verbs, resourceNames = [undefined] }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            resourceNames
              .map((name) => ({ verb, group, resource, namespace, name }))
              .filter((each) => !this.allow(who, each)),
          ),
        ),
      ),
    );
  }
}

const IES = /([^aeiou])y$/;

/** `kubernetes:apps/v1:Deployment` as a role names it. */
export function resourceOf(type: string): { group: string; resource: string } {
  const [, version = "", kind = ""] = type.split(":");
  const group = version.split("/")[0] ?? "";
  const singular = kind.toLowerCase();
  const resource = IES.test(singular) ? singular.replace(IES, "$1ies") : singular.replace(/s$/, "se") + "s";
  return { group: group === "core" ? "" : group, resource };
}
