import { ask, explanation, partsOf, randomToken } from "./api.mjs";
import { busy, copy, element, fault, moment, say } from "./page.mjs";

const ADVICE = {
  used: "Was it not you? Then somebody else has read it: tell the sender, who should treat it as known.",
  expired: "Ask the sender for a new link.",
  destroyed: "Ask the sender for a new link.",
  not_found: "Copy the whole link, with what comes after the #, or ask the sender for a new one.",
};
const waiting = { waiting: () => say("One moment, still trying…") };

const only = (id) => ["open", "result", "over"].forEach((each) => (element(each).hidden = each !== id));

function over(why, advice = "", again = false) {
  only("over");
  element("title").textContent = "This cannot be opened";
  element("why").textContent = why;
  element("advice").textContent = advice;
  element("retry").hidden = !again;
  say("");
  element("title").focus();
}

function refused(answer) {
  const { code, at } = answer.body.error ?? {};
  const when = at && code === "used" ? ` That was on ${moment(at)}.` : "";
  over(explanation(answer) + when, ADVICE[code], !(code in ADVICE));
}

async function look() {
  const link = partsOf(location);
  if (!link) return over("This link is not complete: the part after the # is missing or cut off.", ADVICE.not_found);
  say("Looking…");
  const answer = await ask("GET", `/api/v1/secrets/${link.id}`, undefined, waiting);
  if (answer.status !== 200) return refused(answer);
  element("locked").hidden = !answer.body.passphrase;
  element("until").textContent = `It can be opened until ${moment(answer.body.expires)}.`;
  only("open");
  element("title").textContent = "A secret for you";
  say("");
  element(answer.body.passphrase ? "passphrase" : "submit").focus();
}

async function reveal() {
  fault("passphrase");
  const { id, key } = partsOf(location);
  const locked = !element("locked").hidden;
  const passphrase = locked ? element("passphrase").value : "";
  if (locked && !passphrase) return fault("passphrase", "Type in the passphrase.");
  say("Opening…");
  // The same for all tries: should the answer get lost on its way, the next try brings it.
  const fields = { key, reader, ...(passphrase && { passphrase }) };
  const answer = await ask("POST", `/api/v1/secrets/${id}/reveal`, fields, waiting);
  if (answer.status === 200) return show(answer.body.secret);
  if (answer.body.error?.field !== "passphrase") return refused(answer);
  say("");
  fault("passphrase", explanation(answer));
}

function show(secret) {
  element("passphrase").value = "";
  element("title").textContent = "Here is the secret";
  element("secret").value = secret;
  element("secret").rows = Math.min(20, Math.max(3, secret.split("\n").length + 1));
  only("result");
  say("");
  element("secret").focus();
}

const reader = randomToken();
element("open").addEventListener("submit", (event) => {
  event.preventDefault();
  void busy(element("submit"), reveal);
});
element("copy").addEventListener("click", () => void copy(element("secret"), "Secret"));
element("retry").addEventListener("click", () => void busy(element("retry"), look));
addEventListener("hashchange", () => void look());
// A page that a browser keeps for the way back keeps no secret.
addEventListener("pagehide", () => (element("secret").value = ""));
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
void look();
