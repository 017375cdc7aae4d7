/** Tells secrets from settings by name and by value. Nothing here may give a value away. */

const SECRET_WORDS = [
  "password",
  "passwd",
  "passphrase",
  "pwd",
  "secret",
  "token",
  "apikey",
  "credential",
  "credentials",
  "creds",
];
const SECRET_PAIRS = [
  "api key",
  "access key",
  "private key",
  "secret key",
  "signing key",
  "encryption key",
  "account key",
  "auth key",
];

/** A name that ends so says where a secret is, or how it is handled, and not the secret. */
const ABOUT = new Set(
  (
    "file files path dir directory folder name names mount ref reference url uri endpoint host address server port header " +
    "ttl expiry expiration expires duration lifetime lease timeout interval age length size min max minimum maximum limit count " +
    "policy type kind format prefix suffix enabled disabled enable required allowed issuer audience algorithm alg method field " +
    "label namespace version id store engine provider backend class rotation template encryption env var variable hash budget usage location cache service source driver"
  ).split(" "),
);

const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");

export function isSecretName(name: string): boolean {
  const words = wordsOf(name);
  const last = words.at(-1) ?? "";
  if (ABOUT.has(last) || words[0] === "no" || words[0] === "disable" || words[0] === "enable") return false;
  const phrase = ` ${words.join(" ")} `;
  return (
    words.some((word) => SECRET_WORDS.includes(word)) ||
    /(^pass|password|passwd|apikey|secretkey|accesskey|privatekey)$/.test(last) ||
    SECRET_PAIRS.some((pair) => phrase.includes(` ${pair} `))
  );
}

const BY_FORM = [
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  /\bgh[pousr]_[A-Za-z0-9]{36,}\b/,
  /\bgithub_pat_[A-Za-z0-9_]{40,}\b/,
  /\bglpat-[A-Za-z0-9_-]{20,}/,
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/,
  /\bAIza[0-9A-Za-z_-]{35}\b/,
  /\b[sr]k_live_[0-9a-zA-Z]{16,}/,
  /\bhv[sb]\.[A-Za-z0-9_-]{24,}/,
  /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/,
  /\bnpm_[A-Za-z0-9]{36}\b/,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
  /\bsk-(?:proj|ant|svcacct)-[A-Za-z0-9_-]{16,}/,
  /\bdckr_pat_[A-Za-z0-9_-]{20,}/,
  /\bglsa_[A-Za-z0-9_]{32,}/,
  /\bAGE-SECRET-KEY-1[0-9A-Z]{20,}/,
  /\bhooks\.slack\.com\/services\/T\w{6,}\/B\w{6,}\/\w{16,}/,
  // A word without a digit is prose: "Basic authentication".
  /\b(?:Basic|Bearer) (?=[\w.+/-]*[0-9=])[\w.+/-]{12,}={0,2}/,
  /\bAccountKey=[A-Za-z0-9+/]{40,}={0,2}/,
];

const LONGEST_LOOK = 1_000_000;

/** A login within an address, such as postgres://user:word@host; a placeholder is none. */
const LOGIN = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/?#@"']*:([^\s/?#@"']+)@/gi;
const PLACEHOLDER = /^(?:[$%{<*]|x+$|\.\.\.)|\$\(|\$\{|\{\{/;

/** Within a text that names a database: `host=db user=app password=word`. */
const CONNECTION = /(?:^|[;\s?&])(?:password|pwd)\s?=\s?([^;\s&"'()]{3,})/gi;
const NAMES_HOST = /\b(?:host|hostname|server|data source|addr|address|jdbc)\s?[=:]/i;

export function hasSecretForm(text: string): boolean {
  const value = text.slice(0, LONGEST_LOOK);
  if (BY_FORM.some((form) => form.test(value))) return true;
  const words = [...value.matchAll(LOGIN), ...(NAMES_HOST.test(value) ? value.matchAll(CONNECTION) : [])];
  return words.some(([, word = ""]) => !PLACEHOLDER.test(word));
}

/** Refers to a secret, or says nothing. */
const REFERS = /^(?:[$%]|\{\{|<|\/|\.{1,2}\/|@|file:|env:|vault:|ref\+|secret:\/\/|op:\/\/|arn:|projects\/)/;
const SAYS_NOTHING =
  /^(?:|true|false|yes|no|on|off|null|none|nil|undefined|disabled|enabled|required|optional|redacted|\*+)$/i;

/** What an object is called: under "sealSecret" it names the Secret. */
const OBJECT_NAME = /^[a-z]+(?:-[a-z]+)+$/;

/** What stands under a name, if it were the secret itself. */
export function isLiteral(name: string, value: string): boolean {
  const text = value.trim();
  if (SAYS_NOTHING.test(text) || REFERS.test(text)) return false;
  if (wordsOf(name).at(-1) === "secret" && OBJECT_NAME.test(text)) return false;
  // A number under "token" counts tokens; under "password" it is a poor password.
  return !/^\d+$/.test(text) || /pass|pwd|pin\b/i.test(name);
}

/** One setting in a text of settings, whatever the language: `key: value`, `key = value`, `"key": "value",`, `export KEY=value`. */
const SETTING =
  /^\s*(?:export\s+|-\s+)?["']?([A-Za-z][\w.-]{0,80})["']?\s*[:=]\s*(?:"([^"]*)"|'([^']*)'|([^\s"'#,;]+))\s*[,;]?\s*(?:#.*)?$/;
const LONGEST_LINE = 2000;

/** Line numbers, from 1, of the secrets in a file of settings. */
export function secretLines(text: string): number[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.length > LONGEST_LINE) return [];
    const [, name = "", ...values] = SETTING.exec(line) ?? [];
    const value = values.find((each) => each !== undefined) ?? "";
    return hasSecretForm(line) || (isSecretName(name) && isLiteral(name, value) && !/[()[\]{}]/.test(value))
      ? [index + 1]
      : [];
  });
}

const FLAG = /^--?([A-Za-z][\w.-]*)(?:=(.*))?$/s;

/** Whether this argument, or it and the next, hands over a secret. */
export function isSecretArgument(argument: string, next: string | undefined): boolean {
  if (hasSecretForm(argument)) return true;
  const [whole, name = "", given] = FLAG.exec(argument) ?? [];
  if (whole !== undefined) {
    // What it sets may be a variable of its own: `--env=NAME=value`.
    if (!isSecretName(name)) return given !== undefined && inCommandLine(given);
    return given === undefined
      ? next !== undefined && !next.startsWith("-") && isLiteral(name, next)
      : isLiteral(name, given);
  }
  return inCommandLine(argument);
}

/** Within a shell's script, where flags and variables stand among other words. */
function inCommandLine(script: string): boolean {
  const settings = script.matchAll(/(?:^|[\s;&|(])(?:--?)?([A-Za-z][\w.-]{0,80})=("[^"\n]*"|'[^'\n]*'|[^\s;&|"']+)/g);
  return [...settings].some(([, name = "", value = ""]) => {
    const bare = value.replace(/^["']|["']$/g, "");
    return isSecretName(name) && isLiteral(name, bare) && !/[$`]/.test(bare);
  });
}
