import * as fs from "node:fs";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { run } from "../checks/command";
import { BASE_IMAGES } from "../components/apps";
import { argumentsOf } from "../components/lib/buildContext";
import { officialImages } from "../components/lib/target";
import { fail, UsageError } from "./errors";
import { ROOT } from "./session";

const HELP = `npm run scan [-- [APP…] [--require]]

Builds the applications' images from their sources, as dev does, and looks for known weaknesses in them with grype. Fails where one
is critical.

  APP…        these only
  --require   fails where Docker or grype is not there, instead of saying so and passing`;

const SCANNER = "grype";
const MINUTES = 60_000;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { require: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(HELP);
  const all = appsWithImages();
  const unknown = positionals.find((app) => !all.includes(app));
  if (unknown) throw new UsageError(`"${unknown}" is no application with an image: take ${all.join(", ")}`);
  const lacking = await missing();
  if (lacking && values.require) throw new Error(lacking);
  if (lacking) return console.log(`skipped: ${lacking}`);
  const weak: string[] = [];
  for (const app of positionals.length > 0 ? positionals : all) if (!(await isClean(app))) weak.push(app);
  if (weak.length > 0)
    throw new Error(`critical weaknesses (above) in ${weak.join(", ")}: renew what they are built on`);
}

const appsWithImages = (): string[] =>
  fs.readdirSync(path.join(ROOT, "apps")).filter((app) => fs.existsSync(path.join(ROOT, "apps", app, "Dockerfile")));

async function missing(): Promise<string | undefined> {
  const answers = (command: string, ...args: string[]): Promise<boolean> =>
    run(command, args, { timeoutMs: 0.5 * MINUTES }).then(
      ({ code }) => code === 0,
      () => false,
    );
  if (!(await answers("docker", "version"))) return "no Docker answers, which builds the images";
  if (await answers(SCANNER, "version")) return undefined;
  return `${SCANNER} is not installed: go install github.com/anchore/grype/cmd/grype@v0.121.2 brings it`;
}

async function isClean(app: string): Promise<boolean> {
  const source = path.join(ROOT, "apps", app);
  const image = `platform-scan/${app}`;
  const official = officialImages();
  const known = Object.fromEntries(Object.entries(BASE_IMAGES).map(([name, item]) => [name, official[item] ?? ""]));
  const bases = Object.entries(argumentsOf(source, known)).flatMap(([name, value]) => [
    "--build-arg",
    `${name}=${value}`,
  ]);
  console.log(`${app}: building …`);
  const built = await run("docker", ["build", "--quiet", "--target", "runner", "--tag", image, ...bases, source], {
    timeoutMs: 15 * MINUTES,
  });
  if (built.code !== 0) throw new Error(`${app} cannot be built:\n${built.all.trim()}`);
  const scanned = await run(SCANNER, [`docker:${image}`, "--quiet", "--fail-on", "critical"], {
    timeoutMs: 15 * MINUTES,
  });
  console.log(scanned.out.trim());
  // It says with 2 that it found some; anything else means that it did not look.
  if (![0, 2].includes(scanned.code)) throw new Error(`${SCANNER} could not look at ${app}:\n${scanned.all.trim()}`);
  return scanned.code === 0;
}

main(process.argv.slice(2)).catch(fail);
