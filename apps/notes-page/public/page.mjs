import { keep, latest, trouble } from "./api.mjs";

const [form, text, state, list] = ["form", "text", "state", "notes"].map((id) => document.getElementById(id));
const say = (message) => (state.textContent = message);
const waiting = () => say("The database is not there at the moment; waiting for it …");

async function show() {
  const answer = await latest({ waiting });
  say(trouble(answer));
  if (answer.status !== 200) return;
  list.replaceChildren(
    ...answer.body.notes.map((note) => {
      const item = document.createElement("li");
      item.textContent = note.text;
      item.title = new Date(note.created).toLocaleString();
      return item;
    }),
  );
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  const answer = await keep(text.value, { waiting });
  button.disabled = false;
  if (trouble(answer)) return say(trouble(answer));
  text.value = "";
  await show();
});

await show();
