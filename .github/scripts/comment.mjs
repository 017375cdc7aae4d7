// Puts each file given into a comment of the pull request: the one that begins with the same first line, else a new one.
// Plain JavaScript without packages, because it holds a token that can write.
//   GITHUB_TOKEN GITHUB_REPOSITORY PULL_REQUEST [GITHUB_API_URL]  node comment.mjs FILE…
import fs from "node:fs";

const { GITHUB_TOKEN, GITHUB_REPOSITORY, PULL_REQUEST, GITHUB_API_URL = "https://api.github.com" } = process.env;
const PAGE = 100;

async function ask(method, path, body) {
  const response = await fetch(`${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${GITHUB_TOKEN}`,
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw Object.assign(new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`), {
    status: response.status,
  });
}

/** Anybody can write our first line into a comment; only those of a bot are ours to change. */
async function find(marker) {
  for (let page = 1; ; page++) {
    const comments = await ask("GET", `issues/${PULL_REQUEST}/comments?per_page=${PAGE}&page=${page}`);
    const found = comments.find(({ body, user }) => user?.type === "Bot" && body.split(/\r?\n/)[0] === marker);
    if (found || comments.length < PAGE) return found;
  }
}

async function publish(file) {
  const body = fs.readFileSync(file, "utf8");
  const marker = body.split("\n")[0];
  if (!/^<!-- .+ -->$/.test(marker))
    throw new Error(`${file} does not begin with a hidden marker but with "${marker}"`);
  const found = await find(marker);
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
