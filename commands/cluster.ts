import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { officialImages } from "../components/lib/target";
import { kubectl } from "../sandbox/addons";
import { CONTROL_PLANE } from "../sandbox/controlPlane";
import { down as sandboxDown } from "../sandbox/down";
import { isKind, kindDir, kindDown, kindStatus } from "../sandbox/kind";
import { filesOf } from "../sandbox/layout";
import { running } from "../sandbox/machine";
import { backendOf, endProcesses, pulumiProcesses } from "../sandbox/pulumiProcesses";
import { existing } from "../sandbox/settings";
import { SANDBOX_ITEMS } from "../sandbox/tools";
import { SANDBOX_IMAGES, up as sandboxUp } from "../sandbox/up";
import { ensure } from "../toolchain";
import { defaultCacheRoot } from "../toolchain/cache";
import { reachableHosts } from "../toolchain/connectivity";
import { imageItems } from "../toolchain/images";
import { UsageError } from "./errors";
import { kindSession, kindTarget } from "./kindTarget";
import { NO_DEPLOYER, PROGRAM_ITEMS, Session, sandboxSession, stateSession, toolSession } from "./session";
import { PROGRAM_IMAGES, writeSandboxTarget, writeTarget } from "./target";

/** Which cluster a command works on: a local one by name, or one of the user's by the context of their kubeconfig. */
export interface Choice {
  readonly name: string;
  readonly context?: string;
}

const LOCAL_IMAGES = [...SANDBOX_IMAGES, ...PROGRAM_IMAGES];

type Say = (line: string) => void;
type Kind = "sandbox" | "kind";

/** What is there already decides; else kind where Docker and the internet are at hand, and the sandbox where not. */
async function kindOf({ name }: Choice): Promise<Kind> {
  if (existing(name)) return "sandbox";
  if (isKind(name)) return "kind";
  const wanted = process.env.PLATFORM_CLUSTER ?? "auto";
  if (wanted === "sandbox" || wanted === "kind") return wanted;
  if (wanted !== "auto") throw new UsageError(`PLATFORM_CLUSTER is "${wanted}": take sandbox, kind or auto`);
  return (await dockerAnswers()) && (await imagesCanBePulled()) ? "kind" : "sandbox";
}

const dockerAnswers = (): Promise<boolean> =>
  new Promise((done) => execFile("docker", ["version"], { timeout: 5000 }, (error) => done(!error)));

async function imagesCanBePulled(): Promise<boolean> {
  if (process.env.PLATFORM_SOURCE === "build") return false;
  return (await reachableHosts(["https://registry-1.docker.io/v2/"], undefined)).size > 0;
}

/** For messages. */
export const described = ({ name, context }: Choice): string =>
  context ? `the cluster of context "${context}"` : `local cluster "${name}"`;

/** Brings the cluster up where it is a local one, and gives the variables to work on it. */
export async function bringUp(choice: Choice, say: Say): Promise<Session> {
  if (choice.context) return contextSession(choice.context);
  const kind = await kindOf(choice);
  // In one go: what several of them are built from is kept only until the last is done.
  if (kind === "sandbox") await ensure([...PROGRAM_ITEMS, ...SANDBOX_ITEMS, "docker", ...imageItems(LOCAL_IMAGES)]);
  const toolchain = await ensure(PROGRAM_ITEMS);
  if (kind === "kind") {
    await kindTarget(choice.name, say);
    return kindSession(choice.name, toolchain);
  }
  const layout = await sandboxUp({ name: choice.name, docker: true, trusting: true, say });
  const ask = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
  const uid = await kubectl(toolchain.bin("kubectl"), filesOf(layout.dir).kubeconfig, ask);
  await writeSandboxTarget(layout, uid, say);
  return sandboxSession(layout.dir, toolchain);
}

/** The variables of a cluster that was brought up before; undefined where there is none. */
export async function sessionOf(choice: Choice): Promise<Session | undefined> {
  if (choice.context) return fs.existsSync(contextDir(choice.context)) ? contextSession(choice.context) : undefined;
  const layout = existing(choice.name);
  if (layout) return sandboxSession(layout.dir, await ensure(PROGRAM_ITEMS));
  return isKind(choice.name) ? kindSession(choice.name, await ensure(PROGRAM_ITEMS)) : undefined;
}

/** Whether the local cluster's API server can be expected to answer. */
export async function isRunning({ name, context }: Choice): Promise<boolean> {
  if (context) return true;
  const layout = existing(name);
  if (layout) return running(layout, CONTROL_PLANE) !== undefined;
  return isKind(name) && (await kindStatus(name)).state === "running";
}

/** Removes a local cluster with all that is on it. */
export async function takeDown({ name, context }: Choice, say: Say): Promise<void> {
  if (context) throw new UsageError(`--all removes local clusters only: "${context}" is yours`);
  if (!isKind(name) || existing(name)) return sandboxDown(name, say);
  const backend = backendOf(kindDir(name));
  await endProcesses(() => pulumiProcesses(backend), say);
  return kindDown(name, say);
}

const contextDir = (context: string): string => path.join(defaultCacheRoot(), "contexts", encodeURIComponent(context));

/** A cluster of the user's: their kubeconfig, their backend and passphrase where they have them, official images. */
async function contextSession(context: string): Promise<Session> {
  const dir = contextDir(context);
  const { target } = filesOf(dir);
  if (!fs.existsSync(target)) {
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeTarget(dir, { description: described({ name: "", context }), images: officialImages(), registries: {} });
  }
  return {
    ...toolSession(await ensure(PROGRAM_ITEMS)),
    ...(process.env.PULUMI_BACKEND_URL ? {} : stateSession(dir)),
    ...NO_DEPLOYER,
    KUBECONFIG: process.env.PLATFORM_MINTER || (process.env.KUBECONFIG ?? path.join(os.homedir(), ".kube", "config")),
    PLATFORM_CONTEXT: context,
    PLATFORM_TARGET: target,
  };
}
