import { STATUS_PAGE } from "../components/lib/statusConfig";
import { type Check, Skip, none, some } from "./check";
import { settled } from "./probe";
import type { Outputs, Stand } from "./stand";
import { ask } from "./web";

/** What the page tells programs, as far as anybody here asks. */
export interface Report {
  readonly time: string;
  readonly intervalSeconds: number;
  readonly environments: readonly { readonly name: string; readonly endpoints: readonly Endpoint[] }[];
}

interface Endpoint {
  readonly name: string;
  readonly url: string;
  readonly state: "up" | "down" | "unseen";
  readonly checked: string;
  readonly reason?: string;
}

/** Through the edge, as a browser would. */
export async function statusReport({ hosts, address, certificateAuthority: ca }: Outputs["edge"]): Promise<Report> {
  const url = `${hosts[STATUS_PAGE]}/api/status`;
  const { status, body } = await ask(url, { address, ca });
  if (status !== 200) throw new Error(`${url} answers ${status}: ${body.slice(0, 200)}`);
  return JSON.parse(body) as Report;
}

const endpointsIn = ({ environments }: Report, environment: string): readonly Endpoint[] =>
  environments.find(({ name }) => name === environment)?.endpoints ?? [];

/** What the page says wrongly, or not at all, of the environment's own applications: they are up, by the other checks. */
function differences(report: Report, stack: string, edge: Outputs["edge"]): string[] {
  const applications = Object.entries(edge.hosts).filter(([name]) => name !== STATUS_PAGE);
  const told = new Map(endpointsIn(report, stack).map((each) => [each.name, each]));
  return some("application with a host", applications).flatMap(([name, url]) => {
    const found = told.get(name);
    if (!found) return [`${name} is not watched`];
    if (found.url !== url) return [`${name} is watched at ${found.url}, and answers at ${url}`];
    if (found.state !== "up") return [`${name} is ${found.state}: ${found.reason ?? "no reason given"}`];
    const age = (Date.parse(report.time) - Date.parse(found.checked)) / 1000;
    // A round may be under way while the next one begins.
    return age > 2 * report.intervalSeconds ? [`${name} was asked ${Math.round(age)} s ago for the last time`] : [];
  });
}

/** What came up a moment ago is seen within one interval. */
export async function watched(stand: Stand, withinMs?: number): Promise<string> {
  const { status } = stand.config;
  if (!status) throw new Skip(`${stand.stack} has no status page (platform:status)`);
  if (!status.environments.includes(stand.stack))
    throw new Skip(`the status page of ${stand.stack} watches ${status.environments.join(", ")} only`);
  const { edge } = await stand.outputs();
  const look = async (): Promise<{ report: Report; wrong: string[] }> => {
    const report = await statusReport(edge);
    return { report, wrong: differences(report, stand.stack, edge) };
  };
  const { report, wrong } = await settled(
    look,
    (found) => found.wrong.length === 0,
    withinMs ?? (status.seconds + 10) * 1000,
  );
  none("the status page differs from what runs", wrong);
  const all = report.environments.flatMap(({ endpoints }) => endpoints);
  return `${endpointsIn(report, stand.stack).length} endpoints of ${stand.stack} up, ${all.length} watched in all`;
}

export const statusChecks: readonly Check[] = [
  { id: "001.5", title: "the status page sees every endpoint of the environment up", run: (stand) => watched(stand) },
];
