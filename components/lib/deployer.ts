import { ApiServer, isForbidden } from "./apiServer";
import { type Exec, type Kubeconfig, loggedInBy } from "./kubeconfig";

/** Where the identities live as which stacks are deployed. */
export const DEPLOYERS_NAMESPACE = "platform-deployers";
/** All of them, as the API server names them. */
export const DEPLOYERS_GROUP = `system:serviceaccounts:${DEPLOYERS_NAMESPACE}`;

/** The account of a stack, and its rights' names where it has some to itself. */
export const deployerName = (stack: string): string => `deployer-${stack}`;
export const deployerUser = (stack: string): string =>
  `system:serviceaccount:${DEPLOYERS_NAMESPACE}:${deployerName(stack)}`;
/** Who may log in as it. */
export const deployerGroup = (stack: string): string => `platform:${stack}-deployers`;

/** Shortest that the API server gives; whoever holds the login has it made anew before it ends. */
const DURATION = "10m";
/** How long one is used for questions of our own: asking anew holds up all others that wait for an answer. */
const HELD_MS = 300_000;

const CREDENTIAL = [
  '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":',
  '{"token":"{{.status.token}}","expirationTimestamp":"{{.status.expirationTimestamp}}"}}',
].join("");

/**
 * Asks for a token with the rights of whoever's kubeconfig the shell has. It is the same text for everybody, because the
 * state keeps it as an input of the provider. A shell that is the deployer's own says whose kubeconfig asks.
 */
const MINT = [
  'if [ -n "${PLATFORM_MINTING:-}" ]; then',
  '  echo "refused: the login of $0 asks itself for a token: set PLATFORM_MINTER to the kubeconfig of whoever may (npm run env -- --stack NAME does)" >&2',
  "  exit 1",
  "fi",
  'export PLATFORM_MINTING=1 KUBECONFIG="${PLATFORM_MINTER:-${KUBECONFIG:-}}"',
  'exec kubectl ${PLATFORM_CONTEXT:+--context "$PLATFORM_CONTEXT"} create token "$0" \\',
  `  -n ${DEPLOYERS_NAMESPACE} --duration ${DURATION} --request-timeout 8s -o go-template='${CREDENTIAL}'`,
].join("\n");

const mint = (stack: string): Exec => ({
  apiVersion: "client.authentication.k8s.io/v1",
  command: "sh",
  args: ["-c", MINT, deployerName(stack)],
  interactiveMode: "Never",
});

/**
 * The stack's own login, where its cluster has one: then whoever starts a run only asks for a token, and everything is done
 * as that account. Undefined where the cluster has none, or where it is not for whoever asks to know.
 */
export async function deployerOf(kubeconfig: Kubeconfig, stack: string): Promise<Kubeconfig | undefined> {
  const account = `/api/v1/namespaces/${DEPLOYERS_NAMESPACE}/serviceaccounts/${deployerName(stack)}`;
  return (await isThere(kubeconfig, account)) ? asDeployer(kubeconfig, stack) : undefined;
}

/** Whether any stack of the cluster has one. */
export const hasDeployers = (kubeconfig: Kubeconfig): Promise<boolean> =>
  isThere(kubeconfig, `/api/v1/namespaces/${DEPLOYERS_NAMESPACE}`);

async function isThere(kubeconfig: Kubeconfig, url: string): Promise<boolean> {
  try {
    return (await new ApiServer(kubeconfig).ask(url)) !== undefined;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return false;
  }
}

function asDeployer(kubeconfig: Kubeconfig, stack: string): Kubeconfig {
  const login = loggedInBy(kubeconfig, mint(stack));
  let held: { readonly at: number; readonly credential: ReturnType<Kubeconfig["credential"]> } | undefined;
  const credential = (): ReturnType<Kubeconfig["credential"]> => {
    if (held && Date.now() - held.at < HELD_MS) return held.credential;
    try {
      held = { at: Date.now(), credential: login.credential() };
      return held.credential;
    } catch (error) {
      const { stderr, message } = error as { stderr?: string; message: string };
      throw new Error(
        `no token for ${deployerName(stack)}, as which stack ${stack} is deployed: ${stderr?.trim() || message}. ` +
          `It is given to administrators and to the group ${deployerGroup(stack)}.`,
      );
    }
  };
  return { ...login, credential };
}
