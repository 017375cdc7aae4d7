import { OBJECT_RULES, SET_RULES } from "./rules/index";
import { DEFAULT_OPTIONS, PROFILES, VERSIONS } from "./rules/options";
import { CUSTOM_CARRIERS, POD_KINDS } from "./rules/podTemplate";
import { GATES, type Gate, type RuleFacts, type SetRule } from "./rules/rule";
import { policySettings } from "./settings";

/** docs/policies.md, from the rules themselves. */

const ENVIRONMENTS = ["dev", "qa", "prod"];

const INTRODUCTION = `# Policies

This page is made from the rules: \`UPDATE_GOLDEN=1 npx mocha test/policy/manual.test.ts\` writes it anew.

A rule is written once, as a function of plain manifests in \`policy/rules/\`, and holds at every gate that its row names:

| gate | when | how |
| --- | --- | --- |
| \`pack\` | preview and update | the CrossGuard pack in \`policy/\`, in the engine |
| \`program\` | preview and update, also without the pack | inside the program, before an object is written |
| \`admission\` | whenever anybody writes into an environment's namespaces, by whatever tool | policies that the program installs in the API server ([below](#in-the-api-server)) |
| \`check\` | whenever you like, on any manifests | \`npm run policy:check\` |

## Checking manifests

\`\`\`sh
npm run policy:check -- docs/examples/policy
\`\`\`

Paths are files of YAML or JSON, or folders of them, of whatever making: written by hand, rendered by Helm or Kustomize, dumped from a
cluster. Everything given in one call is judged together.

| flag | what |
| --- | --- |
| \`--config FILE\` | levels, options and exemptions; \`dev\`, \`qa\` and \`prod\` (the default) name those of the project |
| \`--json\` | an array of \`{file, index, kind, name, namespace, rule, controls, level, path, message}\` on standard output, and nothing else there |
| \`--complete\` | what is given is all there will be |
| \`--partial\` | there are other objects |
| \`--stack NAME\` | in place of paths: what a stack runs; \`--name CLUSTER\` or \`--context NAME\` says where |

Exit code 0: nothing mandatory is broken. 1: something is. 2: something could not be read, and the file and line are named; the rest is judged
all the same. \`index\` is the document's place in its file, from 0. With \`npm run -s policy:check\` nothing of npm's own is printed.

**A running stack.** \`npm run policy:check -- --stack dev\` reads the namespaces that the stack made, and of the cluster's roles and bindings those that give their
accounts rights, and judges them with the levels of that environment. Of Secrets it reads names and the names of keys, never a value. What a
controller made of a template is judged by the template; an operator's pods, a pod made by hand and a debugger put into one are judged themselves. A count of
replicas that an autoscaler or the server wrote is nobody's. What may not be read is named, the rest is judged as a part of a whole, and the exit code is 2.

**What is assumed.** Rules marked \`whole\` below miss objects: a Secret that no object makes, a Service without pods, a namespace without default
deny. They can only be asked of a set that is complete. More than one object is taken to be a complete set, a single object not; \`--complete\` and
\`--partial\` say otherwise. Even in a complete set nothing is said of a namespace of which nothing is there: of those with a Namespace
object or pods everything is expected, or of all where no Namespace object is given. Known without being given: the account \`default\`, the ConfigMap
\`kube-root-ca.crt\`, the roles \`cluster-admin\`, \`admin\`, \`edit\`, \`view\` and \`system:…\`. Secrets are also made by ExternalSecrets, Certificates,
SealedSecrets, the Vault Secrets Operator, secrets store CSI classes, CloudNativePG, Strimzi users, 1Password and Infisical items, and by
cert-manager's annotations on Ingresses and Gateways. A Service's numeric target port must be declared by the pods only where they declare any.

## Levels, options, exemptions

\`policy/config/dev.json\`, \`policy/config/qa.json\` and \`policy/config/prod.json\` set for each rule \`mandatory\`, \`advisory\` or \`disabled\`. \`unknowns\` says what becomes of
a value that a preview cannot know: \`report\` warns, \`fail\` refuses; what could not be decided is named with its field. Options, under \`objects\`:

| option | what | default |
| --- | --- | --- |
| \`podSecurity.level\` | which Pod Security rules hold: ${PROFILES.map((each) => `\`${each}\``).join(", ")} | \`${DEFAULT_OPTIONS.podSecurity.level}\` |
| \`podSecurity.version\` | of which Kubernetes: \`1.${VERSIONS.oldest}\` to \`1.${VERSIONS.newest}\`, or \`latest\` | \`latest\` |
| \`imagesFrom\` | beginnings of image references that may run; inside the program those of the lock and the stack's registry are added | none: not judged |
| \`ratio.cpu\`, \`ratio.memory\` | how many times its request a limit may be | ${DEFAULT_OPTIONS.ratio.cpu}, ${DEFAULT_OPTIONS.ratio.memory} |

An exemption is an entry in \`policy/exemptions.ts\`, or under \`exemptions\` in a file for \`--config\`:

\`\`\`json
{
  "rule": "host-path",
  "target": { "kind": "DaemonSet", "namespace": "platform-nodes", "name": "node-exporter" },
  "reason": "it tells how the node itself does",
  "owner": "platform",
  "until": "2027-09-30"
}
\`\`\`

\`target\` may also name a \`container\`; \`*\` stands for any characters. Without reason, owner or last day, or with a last day more than 400 days
ahead, an exemption waives nothing and is a violation itself (\`exemption\`). Those in use are listed in every run. After its last day the finding is back, and says
since when. One that waives nothing is reported by every preview, update and check of a stack, for another stack may need it.

## In the API server

\`pulumi up\` installs ValidatingAdmissionPolicies, \`<stack>-policies-pods\` and \`<stack>-policies-objects\`, for the namespaces of its own
environment and no others. \`kubectl apply\` of what breaks a mandatory rule is refused with the rule, container and field of everything that is broken;
what breaks an advisory one is taken with a warning, and recorded in the audit log. Names that end in \`-advisory\` are of the latter.

- Judged are all kinds with a pod template that are Kubernetes' own, ephemeral containers and changes of a running pod's size. Custom resources are
  not, but the pods that come of them are.
- An object is judged when it is new, or when what rules look at is changed. What was there before its rule may be labelled, scaled and deleted.
- What Kubernetes' own controllers make of a template was judged with the template: they are let through, so that no rule and no exemption that
  ends keeps a running service from being restarted.
- Objects are seen with the API server's own defaults, and a Pod (not a template) with those of the namespace's limit range.
- An exemption ends with its last day by itself: policies read the time from the lease that each API server keeps of itself (\`kube-system\`,
  label \`apiserver.kubernetes.io/identity\`). Where an API server keeps none, the policies with exemptions refuse everything.
- Objects of the whole cluster, such as ClusterRoles, belong to no environment and are not judged here. Nor are rules that need other objects, that
  read texts for secrets, or that the API server holds anyway (\`form\`): they have no \`admission\` in their row.

## Rules

`;

const CARRIERS = `Pod Security is judged in every template that becomes pods: ${POD_KINDS.join(", ")}, and in
${[...new Set(CUSTOM_CARRIERS.map(({ kind, group }) => `${kind} (${group})`))].join(", ")}. Init containers, sidecars and ephemeral containers count,
and so do Lists.
`;

const code = (text: string): string => `\`${text}\``;

function levelsOf(id: string): string[] {
  return ENVIRONMENTS.map((environment) => {
    const { objects, stack } = policySettings(environment);
    return objects.levels[id] ?? stack.levels[id] ?? "mandatory";
  });
}

const gates = (rule: RuleFacts): string => GATES.filter((gate: Gate) => rule.gates.includes(gate)).join(" ");
const isWhole = (rule: RuleFacts): boolean => (rule as SetRule).fromAbsence === true;

function row(rule: RuleFacts): string {
  const asks = `${rule.description}${rule.profile ? ` (${rule.profile})` : ""}${isWhole(rule) ? " (whole)" : ""}`;
  const [dev, ...later] = levelsOf(rule.id);
  const levels = later.every((level) => level === dev) ? dev : [dev, ...later].join(" / ");
  return `| ${[code(rule.id), asks, rule.controls.map(code).join(" "), gates(rule), levels].join(" | ")} |`;
}

export function manual(): string {
  const rules: readonly RuleFacts[] = [...OBJECT_RULES, ...SET_RULES];
  const families = [...new Set(rules.map(({ family }) => family))];
  const chapters = families.map((family) => {
    const head = `### ${family}\n\n${family === "Pod Security" ? `${CARRIERS}\n` : ""}`;
    const table = "| rule | asks | controls | gates | dev / qa / prod |\n| --- | --- | --- | --- | --- |";
    return `${head}${[table, ...rules.filter((rule) => rule.family === family).map(row)].join("\n")}\n`;
  });
  return INTRODUCTION + chapters.join("\n");
}
