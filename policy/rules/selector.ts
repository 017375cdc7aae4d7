import { at, UNKNOWN } from "./manifest";

/** true and false hold for every value an unknown could take; UNKNOWN means that it depends. */
export type Verdict = boolean | typeof UNKNOWN;

export function every<T>(items: readonly T[], test: (item: T) => Verdict): Verdict {
  let verdict: Verdict = true;
  for (const item of items) {
    const each = test(item);
    if (each === false) return false;
    if (each === UNKNOWN) verdict = UNKNOWN;
  }
  return verdict;
}

export function some<T>(items: readonly T[], test: (item: T) => Verdict): Verdict {
  let verdict: Verdict = false;
  for (const item of items) {
    const each = test(item);
    if (each === true) return true;
    if (each === UNKNOWN) verdict = UNKNOWN;
  }
  return verdict;
}

export function both(one: Verdict, other: Verdict): Verdict {
  return every<Verdict>([one, other], (verdict) => verdict);
}

export function equal(one: unknown, other: unknown): Verdict {
  if (one === UNKNOWN || other === UNKNOWN) return UNKNOWN;
  return typeof one === "string" && one === other;
}

function negate(verdict: Verdict): Verdict {
  return verdict === UNKNOWN ? UNKNOWN : !verdict;
}

function matchesExpression(expression: unknown, labels: unknown): Verdict {
  const key = at(expression, "key");
  const operator = at(expression, "operator");
  const values = at(expression, "values");
  if (key === UNKNOWN || operator === UNKNOWN) return UNKNOWN;
  if (typeof key !== "string") return false;
  const label = at(labels, key);
  // A label whose value is unknown is there all the same; only unknown labels as a whole may lack it.
  const present: Verdict = labels === UNKNOWN ? UNKNOWN : label !== undefined;
  if (operator === "Exists") return present;
  if (operator === "DoesNotExist") return negate(present);
  if (operator !== "In" && operator !== "NotIn") return false;
  if (values === UNKNOWN) return UNKNOWN;
  if (!Array.isArray(values) || values.length === 0) return false;
  const within = present === false ? false : some(values, (value) => equal(label, value));
  return operator === "In" ? within : negate(within);
}

/** A Kubernetes LabelSelector. Not set or empty selects everything; a malformed one, which the API refuses, nothing. */
export function matches(selector: unknown, labels: unknown): Verdict {
  if (selector === undefined || selector === null) return true;
  if (selector === UNKNOWN) return UNKNOWN;
  if (typeof selector !== "object") return false;

  const wanted = at(selector, "matchLabels") ?? {};
  const expressions = at(selector, "matchExpressions") ?? [];
  if (typeof wanted !== "object" && wanted !== UNKNOWN) return false;
  if (!Array.isArray(expressions) && expressions !== UNKNOWN) return false;
  const byLabels: Verdict =
    wanted === UNKNOWN ? UNKNOWN : every(Object.entries(wanted), ([key, value]) => equal(value, at(labels, key)));
  const byExpressions: Verdict =
    expressions === UNKNOWN ? UNKNOWN : every(expressions as unknown[], (each) => matchesExpression(each, labels));
  return both(byLabels, byExpressions);
}
