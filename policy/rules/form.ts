import { type Fault, faultAt } from "./finding";
import { elements, into, kindOf, type Located, type Manifest, quote, UNKNOWN } from "./manifest";
import { allContainers, POD_KINDS, podTemplates } from "./podTemplate";

const SHAPES = {
  object: {
    is: (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value),
    allowed: "an object",
  },
  list: { is: Array.isArray, allowed: "a list" },
  text: { is: (value: unknown) => typeof value === "string", allowed: "a text" },
} as const;

function wrong(field: Located, shape: keyof typeof SHAPES, isNeeded = false): Fault[] {
  const { value } = field;
  const unset = value === undefined || value === null;
  if (value === UNKNOWN || (unset ? !isNeeded : SHAPES[shape].is(value))) return [];
  return [faultAt(field, { allowed: SHAPES[shape].allowed, fix: `write ${SHAPES[shape].allowed}` })];
}

const LISTS = ["env", "envFrom", "ports", "volumeMounts", "command", "args"];

/** The name of an entry that another of the list has too: only one of them counts. */
function twice(list: Located): Fault[] {
  const names = elements(list).map((entry) => into(entry, "name"));
  return names
    .filter(({ value }, index) => typeof value === "string" && names.findIndex((each) => each.value === value) < index)
    .map((name) =>
      faultAt(name, {
        found: `is ${quote(name.value)} for the second time`,
        allowed: "a name for each",
        fix: "remove one",
      }),
    );
}

/** What no rule could look into, and so would seem to pass. */
export function form(manifest: Manifest): Fault[] {
  const whole: Located = { path: "", value: manifest };
  const metadata = into(whole, "metadata");
  return [
    ...wrong(metadata, "object"),
    ...wrong(into(metadata, "name"), "text"),
    ...wrong(into(metadata, "namespace"), "text"),
    ...wrong(into(whole, "spec"), "object"),
    ...podTemplates(manifest).flatMap(({ spec, labels }) => [
      ...wrong(labels, "object"),
      ...wrong(spec, "object", true),
      ...wrong(into(spec, "securityContext"), "object"),
      ...wrong(into(spec, "initContainers"), "list"),
      ...wrong(into(spec, "ephemeralContainers"), "list"),
      ...wrong(into(spec, "volumes"), "list"),
      ...elements(into(spec, "volumes")).flatMap((volume) => wrong(volume, "object", true)),
      ...(SHAPES.object.is(spec.value) ? wrong(into(spec, "containers"), "list", true) : []),
    ]),
    ...podTemplates(manifest)
      .flatMap(allContainers)
      .flatMap((container) =>
        container.value !== UNKNOWN && !SHAPES.object.is(container.value)
          ? wrong(container, "object", true)
          : [
              // Some custom resources name their one container themselves.
              ...wrong(into(container, "name"), "text", POD_KINDS.includes(kindOf(manifest))),
              ...wrong(into(container, "securityContext"), "object"),
              ...wrong(into(container, "resources"), "object"),
              ...LISTS.flatMap((field) => wrong(into(container, field), "list")),
              ...["env", "ports"].flatMap((list) => twice(into(container, list))),
            ],
      ),
  ];
}
