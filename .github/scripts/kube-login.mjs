// Logs in to a cluster that trusts GitHub's identity tokens, without any stored credential. A kubeconfig names it so:
//   users: [{ name: github, user: { exec: { apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never,
//     command: node, args: [.github/scripts/kube-login.mjs, AUDIENCE] } } }]
const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = process.env;
const [audience] = process.argv.slice(2);

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

if (!audience) fail("usage: node .github/scripts/kube-login.mjs AUDIENCE, the one the cluster expects in a token");
if (!url || !token)
  fail("this run gets no identity token: its job needs the permission id-token: write, and a fork has none");

const response = await fetch(`${url}&audience=${encodeURIComponent(audience)}`, {
  headers: { authorization: `Bearer ${token}` },
});
if (!response.ok) fail(`GitHub gave no identity token for ${audience}: ${response.status} ${await response.text()}`);
const { value } = await response.json();

// The second part of a token says until when it holds.
const { exp } = JSON.parse(Buffer.from(value.split(".")[1], "base64url").toString("utf8"));
const expirationTimestamp = new Date(exp * 1000).toISOString().replace(/\.\d+Z$/, "Z");
console.log(
  JSON.stringify({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: value, expirationTimestamp },
  }),
);
