import * as fs from "node:fs";
import { kindDown } from "../sandbox/kind";
import { ensure } from "../toolchain";
import { isRunning, sessionOf } from "./cluster";
import { UsageError } from "./errors";
import { kindSession, kindTarget } from "./kindTarget";
import { PROGRAM_ITEMS, Session, toolSession } from "./session";

/** The state and the cluster that a preview compares the program with. */
export interface Place {
  /** Completes "Against …". */
  readonly text: string;
  readonly session: Session;
  /** The state is this machine's own: stacks that are missing in it may be made. */
  readonly own: boolean;
  close(): Promise<void>;
}

type Say = (line: string) => void;

/**
 * In this order: what the environment names, the local cluster where it runs, a kind cluster made for the purpose. Variables
 * that are set but empty, as a workflow without the secrets has them, count as unset.
 */
export async function previewPlace(name: string, stack: string, say: Say): Promise<Place> {
  for (const variable of ["PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "KUBECONFIG", "PLATFORM_TARGET"])
    if (process.env[variable] === "") delete process.env[variable];
  const { PULUMI_BACKEND_URL: backend, KUBECONFIG: kubeconfig } = process.env;
  if (backend && kubeconfig) return sharedPlace(backend, kubeconfig);
  // Ours has a passphrase of its own, which one in the environment would hide.
  delete process.env.PULUMI_CONFIG_PASSPHRASE;
  return (await localPlace(name)) ?? ephemeralPlace(stack, Boolean(backend), say);
}

async function sharedPlace(backend: string, kubeconfig: string): Promise<Place> {
  const missing = kubeconfig.split(":").filter((file) => file && !fs.existsSync(file));
  if (missing.length > 0) throw new UsageError(`KUBECONFIG names ${missing.join(", ")}, which does not exist`);
  const session = toolSession(await ensure(PROGRAM_ITEMS));
  // A bucket's name is nobody's business in a public comment.
  const kind = backend.split(":")[0] ?? "";
  return { text: `the shared backend (${kind}) and the cluster of KUBECONFIG`, session, own: false, close: nothing };
}

async function localPlace(name: string): Promise<Place | undefined> {
  const session = (await isRunning({ name })) ? await sessionOf({ name }) : undefined;
  return session && { text: `local cluster "${name}" of this machine`, session, own: true, close: nothing };
}

async function ephemeralPlace(stack: string, hasBackend: boolean, say: Say): Promise<Place> {
  const cluster = `preview-${stack}`;
  const why = hasBackend
    ? "a shared backend is configured, but this run was given no kubeconfig (a fork's pull request gets no secrets)"
    : "no shared backend is configured";
  say(`${why}, and no local cluster runs: making kind cluster "${cluster}" for this preview`);
  try {
    await kindTarget(cluster, say);
  } catch (error) {
    await kindDown(cluster, () => undefined).catch(() => undefined);
    throw new Error(
      `there is no cluster to preview against: npm run up makes a local one, PULUMI_BACKEND_URL and KUBECONFIG name yours. ` +
        `Making one for this preview failed: ${(error as Error).message}`,
    );
  }
  return {
    text: `an empty kind cluster made for this run, on which everything is new: ${why}`,
    session: kindSession(cluster, await ensure(PROGRAM_ITEMS)),
    own: true,
    close: () => kindDown(cluster, say),
  };
}

const nothing = (): Promise<void> => Promise.resolve();
