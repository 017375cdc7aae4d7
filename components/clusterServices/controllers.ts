import type * as pulumi from "@pulumi/pulumi";
import { type Controller, OPERATORS_NAMESPACE } from "./controller";

const READ = ["get", "list", "watch"];
const WRITE = ["create", "update", "patch", "delete"];
const EVENTS = { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] };
const SECRETS = { apiGroups: [""], resources: ["secrets"], verbs: [...READ, ...WRITE] };

/** cert-manager with the controllers that an authority of one's own needs: no ACME, no cloud's issuer. */
export function certManager(image: pulumi.Input<string>): Controller {
  const controllers = [
    "clusterissuers",
    "certificates-issuing",
    "certificates-key-manager",
    "certificates-readiness",
    "certificates-request-manager",
    "certificates-revision-manager",
    "certificates-trigger",
    "certificaterequests-approver",
    "certificaterequests-issuer-ca",
  ];
  const group = "cert-manager.io";
  const own = ["issuers", "clusterissuers", "certificates", "certificaterequests"];
  return {
    name: "cert-manager",
    image,
    args: [
      `--controllers=${controllers.join(",")}`,
      `--cluster-resource-namespace=${OPERATORS_NAMESPACE}`,
      "--leader-elect=false",
      "--v=2",
    ],
    rules: [
      { apiGroups: [group], resources: own, verbs: READ },
      { apiGroups: [group], resources: ["certificates"], verbs: ["update", "patch"] },
      { apiGroups: [group], resources: ["certificaterequests"], verbs: WRITE },
      {
        apiGroups: [group],
        resources: own.flatMap((each) => [`${each}/status`, `${each}/finalizers`]),
        verbs: ["update", "patch"],
      },
      {
        apiGroups: [group],
        resources: ["signers"],
        verbs: ["approve"],
        resourceNames: ["issuers.cert-manager.io/*", "clusterissuers.cert-manager.io/*"],
      },
      SECRETS,
      EVENTS,
    ],
    health: { path: "/livez", port: 9403 },
    memory: "192Mi",
  };
}

/** External Secrets for the stores in each namespace; nothing is pushed, and no store serves the whole cluster. */
export function externalSecrets(image: pulumi.Input<string>): Controller {
  const group = "external-secrets.io";
  const own = ["externalsecrets", "secretstores"];
  return {
    name: "external-secrets",
    image,
    args: [
      "--concurrent=4",
      "--enable-cluster-store-reconciler=false",
      "--enable-cluster-external-secret-reconciler=false",
      "--enable-cluster-push-secret-reconciler=false",
      "--enable-push-secret-reconciler=false",
      "--enable-generator-state=false",
      "--metrics-addr=:8080",
      "--live-addr=:8082",
      "--loglevel=warn",
      "--zap-time-encoding=rfc3339",
    ],
    rules: [
      { apiGroups: [group], resources: own, verbs: READ },
      // It looks for their leftovers, whatever it is told to manage.
      { apiGroups: [`generators.${group}`], resources: ["generatorstates"], verbs: READ },
      {
        apiGroups: [group],
        resources: own.flatMap((each) => [each, `${each}/status`, `${each}/finalizers`]),
        verbs: ["update", "patch"],
      },
      SECRETS,
      { apiGroups: [""], resources: ["serviceaccounts", "namespaces", "configmaps"], verbs: READ },
      { apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["create"] },
      EVENTS,
    ],
    health: { path: "/healthz", port: 8082 },
    memory: "192Mi",
  };
}
