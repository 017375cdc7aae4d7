import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { down } from "../sandbox/down";
import { existing } from "../sandbox/settings";
import { ensure } from "../toolchain";
import { BROKEN, type Tally, testApplication } from "./applications";
import { fail } from "./errors";
import { ROOT } from "./session";
import { type Run, run } from "./testRun";

const HELP = `npm test [-- --soak]

Everything this machine can run: unit, policy and program tests, the applications' own, and the live suites on a real
cluster (a sandbox of its own, named "test"). Says what it skipped and why.

  --soak   also the long suites: Vault away, verify on what a hand broke, Redis in all modes, Postgres and the object store under
           faults, a first bring-up that is killed again and again, dev, qa and prod side by side, faults in prod. Takes
           over an hour. How often and how long is in the environment: PLATFORM_TEST_KILLS, PLATFORM_TEST_REDIS_ROUNDS,
           PLATFORM_TEST_POSTGRES_ROUNDS, PLATFORM_TEST_LOAD_SECONDS.`;

const SANDBOX = "test";

/** Runs mocha with its usual output on the screen and its counts in a file. */
async function mocha(title: string, what: readonly string[], how: Run = {}): Promise<Tally> {
  console.log(`\n== ${title}`);
  const report = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "platform-test-")), "report.json");
  const reporter = path.join(ROOT, "test", "reporter.js");
  const args = [require.resolve("mocha/bin/mocha.js"), "--reporter", reporter, ...what];
  const code = await run(process.execPath, args, { ...how, env: { ...how.env, PLATFORM_TEST_REPORT: report } });
  const tally = fs.existsSync(report) ? (JSON.parse(fs.readFileSync(report, "utf8")) as Tally) : BROKEN;
  fs.rmSync(path.dirname(report), { recursive: true, force: true });
  // A run that broke off, or was told to fail by something other than a test, is no success.
  return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

function whyNotLive(): string | undefined {
  if (process.platform !== "linux") return `the sandbox needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "the sandbox needs root";
  return undefined;
}

/** In the order of their numbers, wherever they lie: the last one takes everything down. */
function suites(folders: readonly string[]): string[] {
  const found = folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(ROOT, folder))
      .filter((file) => file.endsWith(".test.ts"))
      .map((file) => path.join(folder, file)),
  );
  return found.sort((a, b) => path.basename(a).localeCompare(path.basename(b)));
}

/** What needs no cluster. */
async function still(): Promise<Tally[]> {
  // By itself mocha would leave a core to itself, of two.
  const together = ["--parallel", "--jobs", String(os.availableParallelism())];
  const patterns = [...together, "test/{unit,policy,program}/**/*.test.ts"];
  const tally = await mocha("unit, policy and program", patterns);
  // Theirs wait more than they work, so all at once.
  const apps = fs.readdirSync(path.join(ROOT, "apps")).map((name) => testApplication(path.join(ROOT, "apps", name)));
  return [tally, ...(await Promise.all(apps))];
}

async function live(soak: boolean): Promise<Tally> {
  // On a new machine this takes most of an hour: here it shows its progress, and no test's time runs meanwhile.
  console.log("\n== tools for the live suites");
  const build = ["--require", require.resolve("tsx/cjs"), path.join(ROOT, "commands", "toolchain.ts"), "build"];
  if ((await run(process.execPath, build)) !== 0) return BROKEN;
  try {
    return await mocha("live: on a real cluster", suites(["test/live", ...(soak ? ["test/soak"] : [])]), {
      env: { PLATFORM_TEST_SANDBOX: SANDBOX, PLATFORM_CLUSTER: "sandbox" },
    });
  } finally {
    for (const name of [SANDBOX, `${SANDBOX}-second`]) if (existing(name)) await down(name);
  }
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { help: { type: "boolean" }, soak: { type: "boolean" } } });
  if (values.help) return console.log(HELP);
  const { soak = false } = values;
  // They check the workflows and the alerts; where one cannot be had, its test says so.
  await ensure(["actionlint", "promtool"]).catch((error: Error) => console.error(error.message));
  const reason = whyNotLive();
  const tallies = [...(await still()), reason ? { passed: 0, failed: 0, skipped: 1 } : await live(soak)];
  const skips = reason ? [`live tier: ${reason}`] : [];
  if (!soak) skips.push("long suites: they run with npm test -- --soak");
  for (const skip of skips) console.log(`skipped: ${skip}`);
  const sum = (key: keyof Tally): number => tallies.reduce((total, tally) => total + tally[key], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  if (sum("failed") > 0 || sum("passed") === 0) process.exitCode = 1;
}

main(process.argv.slice(2)).catch(fail);
