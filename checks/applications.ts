import { type Check, Skip, none } from "./check";
import type { Stand } from "./stand";
import { ask } from "./web";

const COUNTER = "visit-tracker";
const VISITS = 3;

export const BROWSER = "text/html, */*;q=0.8";

const isOutside = (endpoint: string): boolean => !endpoint.includes(".svc.cluster.local");

async function answers(stand: Stand): Promise<string> {
  const exposed = Object.entries((await stand.outputs()).endpoints).filter(([, endpoint]) => isOutside(endpoint));
  if (exposed.length === 0) throw new Skip("no application is exposed");
  const wrong = exposed.map(async ([name, endpoint]) => {
    if (!URL.canParse(endpoint)) return [`${name}: ${endpoint}`];
    const { status } = await page(stand, endpoint);
    return status === 200 ? [] : [`${name}: ${endpoint} answers ${status}`];
  });
  none("no answer", (await Promise.all(wrong)).flat());
  return exposed.map(([, endpoint]) => endpoint).join(", ");
}

const page = (stand: Stand, url: string) => ask(url, { headers: { accept: BROWSER }, ca: stand.trust });

async function counts(stand: Stand): Promise<string> {
  const endpoint = (await stand.outputs()).endpoints[COUNTER];
  if (!endpoint || !isOutside(endpoint)) throw new Skip(`${COUNTER} is not exposed`);
  const visits = async (): Promise<number> => {
    const { status, body } = await ask(`${endpoint}/api/visits`, { ca: stand.trust });
    if (status !== 200) throw new Error(`${endpoint}/api/visits answers ${status}: ${body}`);
    return (JSON.parse(body) as { visits: number }).visits;
  };
  const before = await visits();
  for (let visit = 0; visit < VISITS; visit++) await page(stand, endpoint);
  const counted = (await visits()) - before;
  // Others may visit meanwhile.
  if (!(counted >= VISITS)) throw new Error(`${VISITS} visits were counted as ${counted}`);
  return `${counted} counted, ${VISITS} of them ours`;
}

export const applicationChecks: readonly Check[] = [
  { id: "000.16", title: "every exposed application answers at its endpoint", run: answers },
  { id: "003.1", title: "the visit tracker counts every visit", run: counts },
];
