import { at, field, UNKNOWN } from "./manifest";

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

type Test = (labels: unknown) => Verdict;

const always =
  (verdict: Verdict): Test =>
  () =>
    verdict;

function compileExpression(expression: unknown): Test {
  const key = at(expression, "key");
  const operator = at(expression, "operator");
  const values = at(expression, "values");
  if (key === UNKNOWN || operator === UNKNOWN) return always(UNKNOWN);
  if (typeof key !== "string") return always(false);
  // A label whose value is unknown is there all the same; only unknown labels as a whole may lack it.
  const present: Test = (labels) => (labels === UNKNOWN ? UNKNOWN : field(labels, key) !== undefined);
  if (operator === "Exists") return present;
  if (operator === "DoesNotExist") return (labels) => negate(present(labels));
  if (operator !== "In" && operator !== "NotIn") return always(false);
  if (values === UNKNOWN) return always(UNKNOWN);
  if (!Array.isArray(values) || values.length === 0) return always(false);
  const within: Test = (labels) =>
    present(labels) === false ? false : some(values, (value) => equal(field(labels, key), value));
  return operator === "In" ? within : (labels) => negate(within(labels));
}

/**
 * A Kubernetes LabelSelector, read once and asked often. Not set or empty selects everything; a malformed one, which
 * the API refuses, nothing.
 */
export function compileSelector(selector: unknown): Test {
  if (selector === undefined || selector === null) return always(true);
  if (selector === UNKNOWN) return always(UNKNOWN);
  if (typeof selector !== "object") return always(false);

  const wanted = at(selector, "matchLabels") ?? {};
  const expressions = at(selector, "matchExpressions") ?? [];
  if (wanted === UNKNOWN || expressions === UNKNOWN) return always(UNKNOWN);
  if (typeof wanted !== "object" || !Array.isArray(expressions)) return always(false);
  const tests = [
    ...Object.entries(wanted).map(
      ([key, value]): Test =>
        (labels) =>
          equal(value, field(labels, key)),
    ),
    ...Array.from(expressions, compileExpression),
  ];
  return (labels) => every(tests, (test) => test(labels));
}

/** Whether it picks every pod, also those that nobody has thought of. */
export function selectsAll(selector: unknown): Verdict {
  const parts = [at(selector, "matchLabels"), at(selector, "matchExpressions")];
  if (selector === UNKNOWN || parts.includes(UNKNOWN)) return UNKNOWN;
  return parts.every((part) => part === undefined || part === null || Object.keys(part).length === 0);
}
