export const element = (id) => document.getElementById(id);

export function say(text) {
  element("status").textContent = text;
}

/** A button that cannot be pressed now keeps the focus, unlike one that is disabled. */
export async function busy(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/** Shows beside a field what is wrong with it, or nothing any more. */
export function fault(field, text = "") {
  const note = element(`${field}-fault`);
  note.textContent = text;
  note.hidden = !text;
  if (text) {
    element(field).setAttribute("aria-invalid", "true");
    element(field).focus();
  } else element(field).removeAttribute("aria-invalid");
}

export const moment = (iso) =>
  new Date(iso).toLocaleString("en", { dateStyle: "medium", timeStyle: "short", hour12: false });

/** Without TLS a browser has no clipboard for scripts, but still copies what is selected. */
export async function copy(field, what) {
  const text = field.value;
  field.select();
  const copied = await (navigator.clipboard?.writeText(text) ?? Promise.reject(new Error())).then(
    () => true,
    () => document.execCommand("copy"),
  );
  say(copied ? `${what} copied.` : "Copying is not possible here: it is selected, press Ctrl+C or hold it.");
}
