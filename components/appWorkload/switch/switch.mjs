/**
 * Moves an application from one version to the next: `switch` brings the release of its settings up in the colour that does not
 * serve, judges it, and gives it the requests step by step, or gives them back; `tidy` scales the old colour away once its time
 * is over, and ends what a switch left half done that is no more. Each looks at the cluster first and can be begun anew at any
 * point.
 */
import crypto from "node:crypto";
import fs from "node:fs";
import process from "node:process";
import { Cluster, ask } from "./cluster.mjs";
import * as plan from "./plan.mjs";

const settings = JSON.parse(fs.readFileSync(process.env.SWITCH_SETTINGS, "utf8"));
const { app, template, strategy, marks, names, patience } = settings;
const release = crypto.createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, 16);
const image = template.spec.containers[0].image;
const cluster = new Cluster(settings.places, settings.namespace);

const say = (message) => console.log(JSON.stringify({ time: new Date().toISOString(), app, release, message }));
const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const nameOf = (colour) => `${app}-${colour}`;
class Rejected extends Error {}
/** Of own requests, after which Prometheus is asked. */
const ROUNDS = 5;

// --- what is there

async function look() {
  const [service, blue, green] = await Promise.all([
    cluster.service(app),
    cluster.deployment(nameOf("blue")),
    cluster.deployment(nameOf("green")),
  ]);
  const deployments = { blue, green };
  const held = Object.fromEntries(
    Object.entries(deployments).map(([colour, { spec }]) => [
      colour,
      spec.template.metadata.annotations?.[marks.release],
    ]),
  );
  return { live: service.spec.selector[marks.colour], deployments, held };
}

const podsOf = (colour) => cluster.pods({ ...settings.selector, [marks.colour]: colour });

// --- what is changed

/** Whether anything had to be moved. */
async function share(weights) {
  if (!settings.rule) return false;
  const { spec } = await cluster.route(app);
  const backends = Object.entries(weights).map(([colour, weight]) => ({ name: nameOf(colour), port: 80, weight }));
  const found = Object.fromEntries((spec.rules[0]?.backendRefs ?? []).map(({ name, weight = 1 }) => [name, weight]));
  const isSame =
    Object.keys(found).length === backends.length && backends.every(({ name, weight }) => found[name] === weight);
  if (isSame) return false;
  await cluster.share(app, [{ ...settings.rule, backendRefs: backends }]);
  return true;
}

/** All requests to one colour: those at the edge, and those of clients in the cluster. */
async function giveAll(colour) {
  const moved = await share(plan.weightsOf(colour, 100));
  const { spec } = await cluster.service(app);
  if (spec.selector[marks.colour] === colour) return moved;
  await cluster.select(app, { ...settings.selector, [marks.colour]: colour });
  return true;
}

function replicasFor(target, deployments) {
  if (!settings.autoscaled) return settings.replicas;
  // The autoscaler goes on from there.
  return Math.max(settings.replicas, ...Object.values(deployments).map(({ spec }) => spec.replicas));
}

async function bringUp(target, { deployments, held }) {
  const replicas = replicasFor(target, deployments);
  const own = deployments[target];
  if (held[target] !== release) {
    const { metadata, spec } = template;
    const labels = { ...metadata.labels, [marks.colour]: target };
    const annotations = { ...metadata.annotations, [marks.release]: release };
    say(`${image} starts as ${target}, ${replicas} of it`);
    await cluster.renew(nameOf(target), { metadata: { labels, annotations }, spec }, replicas);
  } else if (own.spec.replicas === 0 || (!settings.autoscaled && own.spec.replicas !== replicas)) {
    say(`${target} holds ${image} already, and gets ${replicas} of it`);
    await cluster.scale(nameOf(target), replicas);
  }
}

// --- what is judged

async function ready(target) {
  const end = Date.now() + patience.ready * 1000;
  for (;;) {
    const [deployment, pods] = await Promise.all([cluster.deployment(nameOf(target)), podsOf(target)]);
    if (plan.isRolledOut(deployment)) return;
    // Somebody took away what was being brought up.
    if (deployment.spec.replicas === 0) await cluster.scale(nameOf(target), settings.replicas);
    const own = pods.filter(({ metadata }) => metadata.annotations?.[marks.release] === release);
    const reason = plan.hopeless(own);
    if (reason) throw new Rejected(`it does not start: ${reason}`);
    if (Date.now() > end)
      throw new Rejected(`it was not ready within ${patience.ready} s: ${plan.ailments(deployment, own)}`);
    await pause(patience.look);
  }
}

/** Asks every pod of the colour once for every path, and notes what failed. */
async function tryPods(target, failures) {
  const pods = await podsOf(target);
  const reason = plan.hopeless(pods);
  if (reason) throw new Rejected(reason);
  if (pods.length === 0) failures.push("none of its pods is there");
  const questions = pods
    .filter(({ status }) => status.podIP)
    .flatMap(({ status }) => strategy.smoke.map((path) => `http://${status.podIP}:${settings.port}${path}`));
  const answers = await Promise.all(
    questions.map(async (url) => {
      const answer = await ask(url, { headers: settings.host ? { host: settings.host } : {} }).catch((error) => error);
      return { url, answer };
    }),
  );
  for (const { url, answer } of answers)
    if (!(answer.status < 500)) failures.push(`${url}: ${answer.status ?? answer.message}`);
  const spoken = plan.refusal(failures);
  if (spoken) throw new Rejected(spoken);
}

async function measured(target) {
  const service = `service=~"(.*-)?${settings.namespace}-${nameOf(target)}-(.*-)?80@.*"`;
  const query = async (text, label) => {
    const url = `${settings.prometheus}/api/v1/query?query=${encodeURIComponent(text)}`;
    const { status, text: answer } = await ask(url, { timeout: 10_000 });
    if (status !== 200) throw new Error(`${status} ${answer.slice(0, 200)}`);
    return plan.tallyOf(JSON.parse(answer), label);
  };
  const [codes, buckets] = await Promise.all([
    query(`sum by (code) (traefik_service_requests_total{${service}})`, "code"),
    query(`sum by (le) (traefik_service_request_duration_seconds_bucket{${service}})`, "le"),
  ]);
  return { codes, buckets };
}

/** Nobody may be left to judge by: an update is then held back rather than waved through. */
async function measure(target) {
  if (!settings.prometheus || !settings.rule) return undefined;
  for (let tries = 1; ; tries++)
    try {
      return await measured(target);
    } catch (error) {
      if (tries === 3) throw new Rejected(`Prometheus cannot be asked about it: ${error.message}`);
      await pause(patience.look);
    }
}

async function compare(target, before) {
  if (!before) return undefined;
  const now = await measure(target);
  const counted = { codes: plan.since(before.codes, now.codes), buckets: plan.since(before.buckets, now.buckets) };
  const reason = plan.against(counted, strategy);
  if (reason) throw new Rejected(reason);
  return counted.codes;
}

async function watch(target, before) {
  const failures = [];
  const end = Date.now() + strategy.seconds * 1000;
  for (let round = 1; Date.now() < end; round++) {
    await tryPods(target, failures);
    if (round % ROUNDS === 0) await compare(target, before);
    await pause(patience.look);
  }
  const counted = await compare(target, before);
  if (counted) say(`counted at the edge so far, by status: ${JSON.stringify(counted)}`);
}

// --- the two tasks

async function advance({ target, old, stays }) {
  if (stays) {
    if (await giveAll(target)) say(`all requests are with ${target} again`);
    return;
  }
  await watch(target);
  const before = await measure(target);
  for (const percent of plan.sharesOf(strategy, old)) {
    say(`${target} gets ${percent} %`);
    if (percent === 100) await giveAll(target);
    else await share(plan.weightsOf(target, percent));
    if (old) await watch(target, before);
  }
}

async function reject(reason, { target, old }) {
  say(`${image} is held back: ${reason}`);
  if (old && (await giveAll(old))) await pause(patience.drain);
  await cluster.scale(nameOf(target), 0);
  const rejected = { release, image, reason, at: new Date().toISOString(), job: process.env.JOB_UID };
  await cluster.write(names.record, { rejected: JSON.stringify(rejected) });
  return end(reason, old);
}

async function end(reason, old) {
  const serves = old ? `the version before serves on` : `no version served before it`;
  const text = `${app}: ${image} is held back, ${serves}: ${reason}`;
  fs.writeFileSync(settings.places.last, text.slice(0, 4000));
  await cluster.giveUp(names.job);
  return 1;
}

async function runSwitch() {
  const found = await look();
  const planned = plan.planOf(release, found.live, found.held);
  const { data = {} } = (await cluster.record(names.record)) ?? {};
  const before = JSON.parse(data.rejected ?? "null");
  if (before?.release === release && before.job === process.env.JOB_UID) return end(before.reason, planned.old);
  await cluster.suspend(names.tidy, false);
  // What a switch before this one left half done.
  if (planned.old && (await giveAll(planned.old))) await pause(patience.drain);
  try {
    await bringUp(planned.target, found);
    await ready(planned.target);
    await advance(planned);
  } catch (error) {
    if (error instanceof Rejected) return reject(error.message, planned);
    throw error;
  }
  const now = Date.now();
  await cluster.write(names.record, {
    live: planned.target,
    release,
    image,
    // A version that serves on says nothing of another that was rejected beside it.
    ...(planned.stays ? {} : { since: new Date(now).toISOString(), rejected: null }),
    ...(planned.old ? { keepUntil: new Date(now + strategy.keep * 1000).toISOString() } : {}),
  });
  say(planned.stays ? `${image} serves already` : `${image} serves`);
  return 0;
}

async function isSwitching() {
  const job = await cluster.job(names.job);
  const conditions = job?.status?.conditions ?? [];
  return job && !conditions.some(({ type, status }) => ["Complete", "Failed"].includes(type) && status === "True");
}

async function runTidy() {
  if (await isSwitching()) return 0;
  const { live, deployments } = await look();
  if (!deployments[live]) return 0;
  if (await giveAll(live)) {
    say(`a switch ended half way: all requests are with ${live} again`);
    await pause(patience.drain);
  }
  const old = plan.otherThan(live);
  const { data = {} } = (await cluster.record(names.record)) ?? {};
  const isKept = data.live === live && Date.now() < Date.parse(data.keepUntil ?? 0);
  if (isKept || (await isSwitching())) return 0;
  if (deployments[old].spec.replicas > 0) {
    say(`${old} is scaled away`);
    await cluster.scale(nameOf(old), 0);
  }
  await cluster.suspend(names.tidy, true);
  return 0;
}

for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(3));
try {
  process.exitCode = await { switch: runSwitch, tidy: runTidy }[process.argv[2]]();
} catch (error) {
  say(`ended by ${error.message}`);
  fs.writeFileSync(settings.places.last, `${app}: the switch could not go on: ${error.message}`.slice(0, 4000));
  process.exitCode = 2;
}
