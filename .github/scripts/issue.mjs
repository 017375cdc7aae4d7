// Keeps one issue about what differs from what the stacks want: opens it, writes it anew, closes it when nothing differs any more.
// Takes what `npm run drift -- --json` prints. Plain JavaScript without packages, because it holds a token that can write.
//   GITHUB_TOKEN GITHUB_REPOSITORY [GITHUB_API_URL]  node issue.mjs FILE…
import fs from "node:fs";
import { ask, findOurs } from "./github.mjs";

const MARKER = "<!-- platform drift -->";
const ROWS = 200;

/** Names come from the cluster: none may act as markup, or call a person. Values are not shown, as they may be secret. */
const cell = (text = "") =>
  String(text)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/[\\`*_{}[\]()#+!|~]/g, "\\$&")
    .replace(/@/g, "@\u200b")
    .replace(/\s+/g, " ");

function section({ stack, drift }) {
  const rows = drift.slice(0, ROWS).map(({ kind, namespace, name, change, path, manager, time }) => {
    const object = `${kind} ${namespace ? `${namespace}/` : ""}${name}`;
    return `| ${[object, path ?? change, manager ?? "unknown", time ?? ""].map(cell).join(" | ")} |`;
  });
  const rest = drift.length > ROWS ? [`\n… and ${drift.length - ROWS} more.`] : [];
  return [
    `### \`${stack}\``,
    "",
    "| object | field | field manager | since |",
    "| --- | --- | --- | --- |",
    ...rows,
    ...rest,
    "",
    `\`npm run up -- --stack ${stack}\` puts it back.`,
  ].join("\n");
}

const reports = process.argv.slice(2).map((file) => JSON.parse(fs.readFileSync(file, "utf8")));
if (reports.length === 0) {
  console.error("usage: node .github/scripts/issue.mjs FILE…");
  process.exit(2);
}
const differing = reports.filter(({ drift }) => drift.length > 0);
const found = await findOurs("issues?state=open", MARKER);
if (differing.length === 0) {
  if (found) await ask("PATCH", `issues/${found.number}`, { state: "closed", state_reason: "completed" });
  console.log(found ? `nothing differs any more: issue ${found.number} is closed` : "nothing differs");
} else {
  const body = [MARKER, ...differing.map(section)].join("\n\n");
  const title = `Drift in ${differing.map(({ stack }) => stack).join(", ")}`;
  const { number } = found
    ? await ask("PATCH", `issues/${found.number}`, { title, body })
    : await ask("POST", "issues", { title, body });
  console.log(`issue ${number} says what differs`);
}
