import { parseReference } from "../components/lib/imageReference";
import { ENVIRONMENT_LABEL } from "../components/lib/labels";
import { PULL_SECRET } from "../components/lib/registryAccess";
import { type Check, Skip, none } from "./check";
import type { Stand } from "./stand";
import { decodedData, type Secret } from "./vault";
import { type Answer, ask } from "./web";

/** Of no image: what would be deleted, were it allowed. */
const NOBODY = `sha256:${"0".repeat(64)}`;
export const MANIFESTS =
  "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

export interface PullLogin {
  readonly username: string;
  readonly password: string;
  readonly auth: string;
}

/** What a kubelet finds in the pull secret of a namespace, by host. */
export async function pullLogins(stand: Stand, namespace: string): Promise<Readonly<Record<string, PullLogin>>> {
  const secret = JSON.parse(
    await stand.kubectl(["get", "secret", PULL_SECRET, "-n", namespace, "-o", "json"]),
  ) as Secret;
  return (JSON.parse(decodedData(secret)[".dockerconfigjson"] ?? "{}") as { auths: Record<string, PullLogin> }).auths;
}

type Door = "pull" | "push";

function hostOf(stand: Stand, door: Door, environment = stand.stack): string {
  const place = stand.target.registries[environment];
  const host = door === "push" ? place?.pushHost : (place?.pullHost ?? place?.host);
  if (!host) throw new Skip(`the target names no registry of ${environment}`);
  return host;
}

/** `login` is user:password; none is nobody's. */
export const askRegistry = (
  stand: Stand,
  door: Door,
  path: string,
  {
    login,
    environment,
    ...question
  }: { login?: string; environment?: string; method?: string; headers?: object; body?: string },
): Promise<Answer> =>
  ask(`https://${hostOf(stand, door, environment)}/v2/${path}`, {
    ...question,
    headers: {
      ...question.headers,
      ...(login ? { authorization: `Basic ${Buffer.from(login).toString("base64")}` } : {}),
    },
    ca: stand.trust,
    timeoutMs: 20_000,
  });

export async function pullLogin(stand: Stand): Promise<string> {
  const [found] = Object.values(await pullLogins(stand, (await stand.outputs()).namespaces.registry ?? ""));
  if (!found) throw new Error(`the Secret ${PULL_SECRET} holds no login`);
  return `${found.username}:${found.password}`;
}

async function repositories(stand: Stand): Promise<ReturnType<typeof parseReference>[]> {
  const releases = Object.values((await stand.outputs()).releases);
  if (releases.length === 0) throw new Skip("the stack has no application");
  return releases.map(({ image }) => parseReference(image));
}

type Expectation = readonly [status: number, what: string, door: Door, path: string, Parameters<typeof askRegistry>[3]];

async function expect(stand: Stand, expectations: readonly Expectation[]): Promise<void> {
  const answers = await Promise.all(
    expectations.map(async ([status, what, door, path, question]) => {
      const answer = await askRegistry(stand, door, path, question);
      return answer.status === status ? [] : [`${what}: ${answer.status}, not ${status}`];
    }),
  );
  none("the registry answers otherwise than it should", answers.flat());
}

const strangers = async (stand: Stand): Promise<void> =>
  expect(stand, [
    [401, "nobody, to pull", "pull", "", {}],
    [401, "nobody, to push", "push", "", {}],
    [401, "a wrong password", "pull", "", { login: "pull:wrong" }],
    [200, "the login that pulls", "pull", "", { login: await pullLogin(stand) }],
  ]);

/** Of these requests none would harm an image even where it were allowed. */
async function readers(stand: Stand): Promise<void> {
  const login = await pullLogin(stand);
  for (const { repository } of await repositories(stand)) {
    const uploads = `${repository}/blobs/uploads/`;
    await expect(stand, [
      [405, "starting an upload where it may pull", "pull", uploads, { login, method: "POST" }],
      [405, "naming an image", "pull", `${repository}/manifests/check`, { login, method: "PUT", body: "{}" }],
      [405, "deleting an image", "pull", `${repository}/manifests/${NOBODY}`, { login, method: "DELETE" }],
      [401, "starting an upload where others push", "push", uploads, { login, method: "POST" }],
      [401, "deleting where others push", "push", `${repository}/manifests/${NOBODY}`, { login, method: "DELETE" }],
    ]);
  }
}

async function holds(stand: Stand): Promise<string> {
  const login = await pullLogin(stand);
  const images = await repositories(stand);
  for (const { repository, tag, digest } of images) {
    const question = { login, method: "HEAD", headers: { accept: MANIFESTS } };
    const { status, headers } = await askRegistry(stand, "pull", `${repository}/manifests/${tag}`, question);
    const found = headers["docker-content-digest"];
    if (status !== 200 || found !== digest)
      throw new Error(
        `${repository}:${tag} was recorded as ${digest}, and the registry answers ${status} ${String(found ?? "")}`,
      );
  }
  return images.map(({ repository, tag }) => `${repository}:${tag}`).join(", ");
}

async function elsewhere(stand: Stand): Promise<string> {
  const environments = (await stand.kubectl(["get", "namespaces", "-l", ENVIRONMENT_LABEL, "-o", "name"]))
    .split("\n")
    .flatMap((name) => /^namespace\/(.+)-registry$/.exec(name)?.[1] ?? []);
  const others = environments.filter((name) => name !== stand.stack && stand.target.registries[name]);
  if (others.length === 0) throw new Skip("no other environment has a registry here");
  const login = await pullLogin(stand);
  await expect(
    stand,
    others.map((environment) => [401, `the registry of ${environment}`, "pull", "", { login, environment }]),
  );
  return others.join(", ");
}

export const registryChecks: readonly Check[] = [
  { id: "000.7", title: "the registry refuses strangers", run: strangers },
  { id: "000.11", title: "the login that pulls can write and delete nothing", run: readers },
  { id: "000.8", title: "the registry holds what the stack recorded, under its tag", run: holds },
  { id: "001.4", title: "the login of this environment opens no other registry", run: elsewhere },
];
