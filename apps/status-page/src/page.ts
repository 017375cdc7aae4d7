import { BEATS, type State } from "./history";
import { type EndpointReport, type Report, WINDOWS } from "./report";

const NAMES: Readonly<Record<State, string>> = { up: "Up", down: "Down", unseen: "Never answered" };
const NEWS = 20;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
export const escape = (text: string): string => text.replace(/[&<>"']/g, (each) => ENTITIES[each] ?? each);

const time = (iso: string): string => `<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`;

const endpoints = (count: number): string => `${count} endpoint${count === 1 ? "" : "s"}`;

/** What matters most, in one sentence. */
export function summary({ counts: { up, down, unseen } }: Report): string {
  const rest = unseen > 0 ? `, ${unseen} never answered` : "";
  if (down > 0) return `${down} of ${endpoints(up + down + unseen)} down${rest}`;
  if (up === 0) return unseen > 0 ? "Nothing has answered yet" : "Nothing is watched";
  return unseen > 0 ? `${up} of ${endpoints(up + unseen)} up${rest}` : `All ${endpoints(up)} up`;
}

const overall = ({ counts }: Report): State => (counts.down > 0 ? "down" : counts.up > 0 ? "up" : "unseen");

/** The last answers as bars; what failed is told by height as well as by colour. */
function bars({ recent, name }: EndpointReport): string {
  const failed = recent.filter(({ up }) => !up).length;
  const label = recent.length === 0 ? "no answer yet" : `the last ${recent.length} answers: ${failed} failed`;
  const rects = recent.map(({ at, up, ms }, index) => {
    const x = (BEATS - recent.length + index) * 5;
    const [y, height] = up ? [8, 12] : [0, 20];
    const title = `${at.slice(11, 19)} ${up ? `${ms} ms` : "failed"}`;
    return `<rect class="${up ? "up" : "down"}" x="${x}" y="${y}" width="4" height="${height}"><title>${title}</title></rect>`;
  });
  return (
    `<svg role="img" aria-label="${escape(`${name}, ${label}`)}" viewBox="0 0 ${BEATS * 5} 20" preserveAspectRatio="none">` +
    `${rects.join("")}</svg>`
  );
}

/** Rounded down, as it was before: only what never failed is at 100. */
const percent = (value: number | null): string => (value === null ? "–" : `${Math.floor(value * 100) / 100} %`);

function card(endpoint: EndpointReport): string {
  const { name, url, state, since, reason, uptime, recent } = endpoint;
  const last = recent.at(-1);
  const told = state === "up" ? (last ? `, answers in ${last.ms} ms` : "") : reason ? `: ${reason}` : "";
  const uptimes = Object.keys(WINDOWS).map(
    (window) => `<div><dt>${window}</dt><dd>${percent(uptime[window as keyof typeof WINDOWS])}</dd></div>`,
  );
  return `<li class="card">
<h3><a href="${escape(url)}" rel="noreferrer">${escape(name)}</a> <span class="badge ${state}">${NAMES[state]}</span></h3>
<p>since ${time(since)}${escape(told)}</p>
${bars(endpoint)}
<dl>${uptimes.join("")}</dl>
</li>`;
}

function news({ environments }: Report): string {
  const all = environments.flatMap(({ name: environment, endpoints: list }) =>
    list.flatMap(({ name, changes }) => changes.map((change) => ({ ...change, of: `${environment} / ${name}` }))),
  );
  if (all.length === 0) return "<p>Nothing has changed since the watch began.</p>";
  const lines = all
    .sort((one, other) => other.at.localeCompare(one.at))
    .slice(0, NEWS)
    .map(({ at, up, reason, of }) => {
      const state: State = up ? "up" : "down";
      return `<li>${time(at)} ${escape(of)} <span class="badge ${state}">${NAMES[state]}</span> ${escape(reason ?? "")}</li>`;
    });
  return `<ol class="news">${lines.join("\n")}</ol>`;
}

/** All of it in one document that needs no script; it loads itself anew once in an interval unless it is paused. */
export function page(report: Report, paused: boolean): string {
  const { intervalSeconds, environments } = report;
  const sections = environments.map(
    ({ name, endpoints: list }) =>
      `<section aria-label="${escape(name)}"><h2>${escape(name)}</h2>\n<ul class="cards">${list.map(card).join("\n")}</ul></section>`,
  );
  const refresh = paused ? "" : `<meta http-equiv="refresh" content="${intervalSeconds}">\n`;
  const pace = paused
    ? 'Paused. <a href="/">Go on refreshing</a>'
    : `Refreshed every ${intervalSeconds} s. <a href="/?paused">Pause</a>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refresh}<title>${summary(report)} · Status</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header class="${overall(report)}"><h1>Status</h1><p class="summary" role="status">${summary(report)}</p></header>
<main>
${sections.join("\n")}
<section aria-label="Changes"><h2>Changes</h2>
${news(report)}
</section>
</main>
<footer><p>As of ${time(report.time)} UTC. ${pace} · <a href="/api/status">JSON</a></p></footer>
</body>
</html>
`;
}
