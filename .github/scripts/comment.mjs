// Puts each file given into a comment of the pull request: the one that begins with the same first line, else a new one.
// Plain JavaScript without packages, because it holds a token that can write.
//   GITHUB_TOKEN GITHUB_REPOSITORY PULL_REQUEST [GITHUB_API_URL]  node comment.mjs FILE…
import fs from "node:fs";
import { ask, findOurs } from "./github.mjs";

const { PULL_REQUEST } = process.env;

async function publish(file) {
  const body = fs.readFileSync(file, "utf8");
  const marker = body.split("\n")[0];
  if (!/^<!-- .+ -->$/.test(marker))
    throw new Error(`${file} does not begin with a hidden marker but with "${marker}"`);
  const found = await findOurs(`issues/${PULL_REQUEST}/comments`, marker);
  if (found?.body === body) return "unchanged";
  if (found) await ask("PATCH", `issues/comments/${found.id}`, { body });
  else await ask("POST", `issues/${PULL_REQUEST}/comments`, { body });
  return found ? "updated" : "added";
}

for (const file of process.argv.slice(2)) {
  try {
    console.log(`${file}: ${await publish(file)}`);
  } catch (error) {
    // A fork's token, and Dependabot's, may read only.
    if (error.status !== 403) throw error;
    console.log(`::notice::No permission to comment here; what ${file} says is in the run's summary.`);
  }
}
