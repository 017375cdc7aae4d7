import type { Drift, Findings, Undecided } from "../drift";

/** An issue takes 65536 characters. */
const ROOM = 60_000;
const VALUE = 200;

const objectOf = ({ kind, namespace, name }: Undecided | Drift): string =>
  `${kind} ${namespace ? `${namespace}/` : ""}${name}`;

const valueOf = (value: unknown): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > VALUE ? `${text.slice(0, VALUE)}…` : text;
};

function whatOf({ change, wanted, found }: Drift): string {
  if (change === "deleted") return "is gone";
  if (change === "added") return `is ${valueOf(found)}, which the program does not have`;
  if (change === "removed") return `is gone, where the program has ${valueOf(wanted)}`;
  return `is ${valueOf(found)}, where the program has ${valueOf(wanted)}`;
}

/** Kubernetes remembers who wrote a field, not who took one away; Vault has its audit log for it. */
const whoOf = ({ manager, time }: Drift): string =>
  manager ? `by ${manager}${time ? ` at ${time}` : ""}` : "by whom is not recorded";

export const driftLine = (drift: Drift): string =>
  `${objectOf(drift)}${drift.path ? `: ${drift.path}` : ""} ${whatOf(drift)} (${whoOf(drift)})`;

export function outcome({ compared, drift, undecided }: Findings): string {
  const objects = new Set(drift.map(({ urn }) => urn)).size;
  const parts = [
    objects > 0 ? `${objects} of ${compared} objects differ from what the stack wants` : undefined,
    undecided.length > 0 ? `${undecided.length} could not be looked at` : undefined,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : `all ${compared} objects are as the stack wants them`;
}

export function driftText(stack: string, findings: Findings): string {
  const { drift, undecided, unknown } = findings;
  return [
    ...drift.map(driftLine),
    ...undecided.map((each) => `${objectOf(each)} could not be compared: ${each.reason}`),
    ...unknown.map((type) => `not compared: everything of type ${type}`),
    `${stack}: ${outcome(findings)}`,
    ...(drift.length > 0 ? [`npm run up -- --stack ${stack} puts it back`] : []),
  ].join("\n");
}

/** For an issue. */
export function driftSummary(stack: string, findings: Findings): string {
  const { drift, undecided, unknown } = findings;
  const rows = drift.map((each) => {
    const cells = [objectOf(each), each.path ?? "", whatOf(each), each.manager ?? "not recorded", each.time ?? ""];
    return `| ${cells.map(escape).join(" | ")} |`;
  });
  const parts = [
    `### Drift of \`${stack}\`: ${outcome(findings)}`,
    rows.length > 0
      ? ["| object | field | what | by | at |", "| --- | --- | --- | --- | --- |", ...rows].join("\n")
      : "",
    undecided.map((each) => `- ${escape(objectOf(each))} could not be compared: ${escape(each.reason)}`).join("\n"),
    unknown.map((type) => `- not compared: everything of type ${escape(type)}`).join("\n"),
    drift.length > 0 ? `\`npm run up -- --stack ${stack}\` puts it back.` : "",
  ];
  const text = `${parts.filter(Boolean).join("\n\n")}\n`;
  return text.length > ROOM
    ? `${text.slice(0, ROOM)}\n\n… cut off here: the output of the run has everything.\n`
    : text;
}

/** Names and values come from the cluster: none may act as markup, or call a person. */
const escape = (text: string): string =>
  text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/[\\`*_{}[\]()#+!|~]/g, "\\$&")
    .replace(/@/g, "@\u200b")
    .replace(/\n+/g, "<br>");
