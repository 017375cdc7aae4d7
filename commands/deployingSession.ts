import * as fs from "node:fs";
import * as path from "node:path";
import { deployerOf } from "../components/lib/deployer";
import { readKubeconfig } from "../components/lib/kubeconfig";
import type { Session } from "./session";
import { installsServices } from "./stackFile";

/**
 * As whom a stack is deployed: its own account where the cluster has one, for kubectl and Vault as well as for Pulumi. The
 * kubeconfig that names it holds no credential; PLATFORM_MINTER is the one of whoever asks for its tokens.
 */
export async function deployingSession(session: Session, stack: string): Promise<Session> {
  const kubeconfig = readKubeconfig({ ...process.env, ...session });
  const deployer = installsServices(stack) ? undefined : await deployerOf(kubeconfig, stack);
  if (!deployer) return session;
  const file = path.join(path.dirname(session.PLATFORM_TARGET ?? ""), `deployer-${stack}.kubeconfig`);
  fs.writeFileSync(file, deployer.providerInput, { mode: 0o600 });
  return { ...session, KUBECONFIG: file, PLATFORM_MINTER: session.KUBECONFIG ?? "", PLATFORM_STACK: stack };
}
