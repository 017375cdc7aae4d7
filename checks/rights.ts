import type { Stand } from "./stand";

/** One thing that somebody may do, or may not. */
export interface Right {
  readonly verb: string;
  readonly resource: string;
  readonly group?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly may: boolean;
}

export const may = (verb: string, resource: string, group = "", subresource = ""): Right => ({
  verb,
  resource,
  group,
  subresource,
  may: true,
});
export const mayNot = (...right: Parameters<typeof may>): Right => ({ ...may(...right), may: false });

const described = ({ verb, resource, subresource, namespace, name }: Right): string =>
  `${verb} ${resource}${subresource ? `/${subresource}` : ""}${name ? ` ${name}` : ""} ${namespace ? `in ${namespace}` : "in the cluster"}`;

/** Somebody, as the API server knows them. */
export interface Somebody {
  readonly user: string;
  readonly groups: readonly string[];
}

export const memberOf = (group: string): Somebody => ({ user: "check", groups: [group, "system:authenticated"] });

/** Asks the API server about somebody, all at once: what is other than it should be. */
export async function otherThan(stand: Stand, { user, groups }: Somebody, rights: readonly Right[]): Promise<string[]> {
  const items = rights.map(({ verb, resource, group, subresource, namespace, name }) => ({
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user, groups, resourceAttributes: { verb, resource, group, subresource, namespace, name } },
  }));
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const answers = await stand.kubectl(["create", "-f", "-", "-o", 'jsonpath={.status.allowed}{"\\n"}'], { input });
  const words = answers.trim().split("\n");
  if (words.length !== rights.length || !words.every((word) => word === "true" || word === "false"))
    throw new Error(`${rights.length} questions, and these answers: ${answers}`);
  return rights.flatMap((right, index) =>
    (words[index] === "true") === right.may ? [] : [`${described(right)}: ${right.may ? "refused" : "allowed"}`],
  );
}

/** A request, what is said to it, and what should be: nothing where it is let through. */
export type Attempt = readonly [what: string, said: Promise<string>, expected: RegExp];
export const FINE = /^$/;
export const FORBIDDEN = /[Ff]orbidden/;

export const CREATE = ["create", "--dry-run=server", "-f", "-"];

/** What somebody is told who asks for this; a write is a dry run, which admission judges like any other request. */
export async function told(
  stand: Stand,
  as: readonly string[],
  args: readonly string[],
  object?: object,
): Promise<string> {
  const input = object && JSON.stringify(object);
  const { code, err } = await stand.tryKubectl([...args, ...as], { input });
  return code === 0 ? "" : err.trim() || `exit ${code}`;
}

export async function toldOtherwise(attempts: readonly Attempt[]): Promise<string[]> {
  const wrong = attempts.map(async ([what, said, expected]) => {
    const answer = await said;
    return expected.test(answer) ? [] : [`to ${what}: ${answer || "allowed"}`];
  });
  return (await Promise.all(wrong)).flat();
}
