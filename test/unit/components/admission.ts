let evaluate: (expression: string, context: Record<string, unknown>) => unknown;
before(async () => ({ evaluate } = await import("@marcbachmann/cel-js")));

interface Named {
  readonly name: string;
  readonly expression: string;
}

/** As much of a ValidatingAdmissionPolicy as decides. */
interface Fence {
  readonly matchConditions?: readonly Named[];
  readonly variables?: readonly Named[];
  readonly validations: readonly { readonly expression: string; readonly message: string }[];
}

export interface Request {
  readonly object: unknown;
  readonly oldObject?: unknown;
  readonly groups?: readonly string[];
}

/** What a policy says against a request, as the API server would. */
export function refusals(spec: unknown, { object, oldObject = null, groups = [] }: Request): string[] {
  const { matchConditions = [], variables = [], validations } = spec as Fence;
  const known: Record<string, unknown> = {};
  const request = { userInfo: { groups } };
  const value = (expression: string): unknown => evaluate(expression, { object, oldObject, request, variables: known });
  if (!matchConditions.every(({ expression }) => value(expression))) return [];
  for (const { name, expression } of variables) known[name] = value(expression);
  return validations.flatMap(({ expression, message }) => (value(expression) === true ? [] : [message]));
}
