import { ask, explanation } from "./api.mjs";
import { busy, copy, element, fault, moment, say } from "./page.mjs";

const FIELDS = ["secret", "ttl", "passphrase"];

async function create() {
  FIELDS.forEach((field) => fault(field));
  const secret = element("secret").value;
  const passphrase = element("passphrase").value;
  if (!secret) {
    say("");
    return fault("secret", "Write something first.");
  }
  say("Creating the link…");
  const fields = { secret, ttl: Number(element("ttl").value), ...(passphrase && { passphrase }) };
  const answer = await ask("POST", "/api/v1/secrets", fields, { waiting: () => say("One moment, still trying…") });
  if (answer.status === 201) return show(answer.body, Boolean(passphrase));
  const { field } = answer.body.error ?? {};
  say(FIELDS.includes(field) ? "" : explanation(answer));
  if (FIELDS.includes(field)) fault(field, explanation(answer));
}

function show({ id, key, expires }, locked) {
  element("create").reset();
  element("create").hidden = true;
  // By the address that this browser used, whatever proxies made of it.
  element("link").value = `${location.origin}/s/${id}#${key}`;
  element("until").textContent =
    `Opens once, until ${moment(expires)}${locked ? ", and asks for the passphrase" : ""}.`;
  element("result").hidden = false;
  say("");
  element("done").focus();
}

element("create").addEventListener("submit", (event) => {
  event.preventDefault();
  void busy(element("submit"), create);
});
element("link").addEventListener("focus", () => element("link").select());
element("copy").addEventListener("click", () => void copy(element("link"), "Link"));
element("again").addEventListener("click", () => {
  element("link").value = "";
  element("result").hidden = true;
  element("create").hidden = false;
  say("");
  element("secret").focus();
});
