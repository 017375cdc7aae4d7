// Gives the later steps of a job what they need to work on the shared cluster and the shared state, by GitHub's identity token: no
// credential is stored anywhere. Plain JavaScript without packages.
//   PLATFORM_KUBECONFIG: the kubeconfig, whose login is kube-login.mjs; it holds no credential
//   STATE_ROLE, AWS_REGION [STATE_STS]: the role that may read and write the state, where that lies in S3
import fs from "node:fs";
import path from "node:path";

const { PLATFORM_KUBECONFIG, STATE_ROLE, AWS_REGION, STATE_STS, RUNNER_TEMP, GITHUB_ENV } = process.env;

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

const keep = (values) =>
  fs.appendFileSync(
    GITHUB_ENV,
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );

async function identity(audience) {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = process.env;
  if (!url || !token) fail("this run gets no identity token: its job needs the permission id-token: write");
  const response = await fetch(`${url}&audience=${encodeURIComponent(audience)}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) fail(`GitHub gave no identity token for ${audience}: ${response.status} ${await response.text()}`);
  return (await response.json()).value;
}

/** For an hour, which is longer than any job takes. */
async function stateLogin() {
  const query = new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: STATE_ROLE,
    RoleSessionName: "platform",
    WebIdentityToken: await identity("sts.amazonaws.com"),
  });
  const response = await fetch(STATE_STS ?? `https://sts.${AWS_REGION}.amazonaws.com/`, {
    method: "POST",
    body: query,
  });
  const text = await response.text();
  if (!response.ok) fail(`${STATE_ROLE} is not given to this run: ${response.status} ${text.slice(0, 300)}`);
  const field = (name) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1] ?? fail(`the answer has no ${name}`);
  const secrets = { AWS_SECRET_ACCESS_KEY: field("SecretAccessKey"), AWS_SESSION_TOKEN: field("SessionToken") };
  for (const secret of Object.values(secrets)) console.log(`::add-mask::${secret}`);
  keep({ AWS_ACCESS_KEY_ID: field("AccessKeyId"), ...secrets });
}

if (!PLATFORM_KUBECONFIG) fail("the variable PLATFORM_KUBECONFIG is not set: docs/delivery.md says what it holds");
const file = path.join(RUNNER_TEMP, "kubeconfig");
fs.writeFileSync(file, `${PLATFORM_KUBECONFIG}\n`, { mode: 0o600 });
keep({ KUBECONFIG: file });
if (STATE_ROLE) await stateLogin();
