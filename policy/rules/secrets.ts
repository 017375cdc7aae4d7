import { type Fault, faultAt } from "./finding";
import { at, elements, field, groupOf, into, kindOf, type Located, type Manifest } from "./manifest";
import { allContainers, podTemplates } from "./podTemplate";
import { hasSecretForm, isLiteral, isSecretArgument, isSecretName, secretLines } from "./secretText";

const IN_A_SECRET = {
  allowed: "a reference to a Secret",
  controls: ["cis:5.4.1", "nsa:credentials"],
} as const;

function inEnv(container: Located, name: string | undefined): Fault[] {
  return elements(into(container, "env")).flatMap((entry) => {
    const value = into(entry, "value");
    const variable = at(entry.value, "name");
    if (typeof value.value !== "string") return [];
    const told = typeof variable === "string" && isSecretName(variable) && isLiteral(variable, value.value);
    if (!told && !hasSecretForm(value.value)) return [];
    const found = told
      ? `of ${variable} is written out, and its name says that it is a secret`
      : "has the form of a secret";
    const fix = "put it into a Secret, and take it by valueFrom.secretKeyRef";
    return [faultAt(value, { container: name, found, fix, ...IN_A_SECRET })];
  });
}

function inArguments(container: Located, name: string | undefined, list: "command" | "args"): Fault[] {
  const words = elements(into(container, list));
  return words.flatMap((word, index) => {
    const next = words[index + 1]?.value;
    if (typeof word.value !== "string" || !isSecretArgument(word.value, typeof next === "string" ? next : undefined))
      return [];
    const found = "hands over a secret, which every process list shows";
    const fix = "let the process read it from a file of a mounted Secret";
    return [faultAt(word, { container: name, found, fix, ...IN_A_SECRET })];
  });
}

/** Programs have variables that are called like secrets. */
const PROGRAM = /\.(?:m?[jt]sx?|cjs|py|sh|bash|rb|go|lua|pl|sql|html|css|md|tmpl|tpl)$/i;

function inConfigMap(manifest: Manifest): Fault[] {
  if (kindOf(manifest) !== "ConfigMap" || ![undefined, ""].includes(groupOf(manifest))) return [];
  const data = into({ path: "", value: manifest }, "data");
  const keys = typeof data.value === "object" && data.value !== null ? Object.keys(data.value) : [];
  return keys.flatMap((key) => {
    const value = field(data.value, key);
    if (typeof value !== "string") return [];
    const entry: Located = { path: /^[\w-]+$/.test(key) ? `${data.path}.${key}` : `${data.path}["${key}"]`, value };
    const fix = "keep it in a Secret";
    const single = !value.trim().includes("\n");
    if (single && isSecretName(key) && isLiteral(key, value)) {
      return [faultAt(entry, { found: "is written out, and its name says that it is a secret", fix, ...IN_A_SECRET })];
    }
    if (hasSecretForm(value) && single)
      return [faultAt(entry, { found: "has the form of a secret", fix, ...IN_A_SECRET })];
    const lines = PROGRAM.test(key) ? (hasSecretForm(value) ? [1] : []) : secretLines(value);
    if (lines.length === 0) return [];
    const found = PROGRAM.test(key)
      ? "holds what has the form of a secret"
      : `holds secrets in line ${lines.slice(0, 5).join(", ")}`;
    return [faultAt(entry, { found, fix, ...IN_A_SECRET })];
  });
}

export function literalSecrets(manifest: Manifest): Fault[] {
  return [
    ...podTemplates(manifest)
      .flatMap(allContainers)
      .flatMap((container) => [
        ...inEnv(container, container.name),
        ...inArguments(container, container.name, "command"),
        ...inArguments(container, container.name, "args"),
      ]),
    ...inConfigMap(manifest),
  ];
}
