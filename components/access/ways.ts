import { PULL_SECRET } from "../lib/registryAccess";

export interface Places {
  readonly environment: string;
  /** Under which Vault is reached from where the stack is deployed. */
  readonly vault: string;
  readonly developers: readonly string[];
  /** Where browsers find the dashboards, if there are some. */
  readonly dashboards?: string;
}

/** How to get in, for people: commands, each with the rights of whoever types it, and never a secret. */
export const waysIn = ({ environment, vault, developers, dashboards }: Places): Record<string, string> => ({
  developers: `kubectl get pods -n ${environment}-apps   # as a member of ${developers.join(" or ")}`,
  vault: `VAULT_ADDR=${vault} commands/vaultToken.mjs get`,
  registry: `kubectl get secret ${PULL_SECRET} -n ${environment}-registry -o jsonpath='{.data.\\.dockerconfigjson}' | base64 -d`,
  ...(dashboards
    ? {
        dashboards: `kubectl get secret grafana -n ${environment}-dashboards -o jsonpath='{.data.password}' | base64 -d   # of admin at ${dashboards}`,
      }
    : {}),
  verify: `npm run verify -- --stack ${environment}`,
});
