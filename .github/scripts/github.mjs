// How the scripts beside it speak to GitHub. Plain JavaScript without packages, because they hold tokens.
const { GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_API_URL = "https://api.github.com" } = process.env;
const PAGE = 100;

/** Of the repository's API. A refusal has its status. */
export async function ask(method, path, body) {
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

/** What we wrote into a list before. Anybody can write our first line; only what a bot wrote is ours to change. */
export async function findOurs(list, marker) {
  for (let page = 1; ; page++) {
    const all = await ask("GET", `${list}${list.includes("?") ? "&" : "?"}per_page=${PAGE}&page=${page}`);
    const found = all.find(({ body, user }) => user?.type === "Bot" && body?.split(/\r?\n/)[0] === marker);
    if (found || all.length < PAGE) return found;
  }
}
