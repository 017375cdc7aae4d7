import { isJudged, type Subject } from "./judge";
import type { Manifest } from "./rules/manifest";

/** Pulumi's type token, `kubernetes:apps/v1:Deployment`, in the words of a manifest. */
function parseToken(token: string): { apiVersion: string; kind: string; partial: boolean } | undefined {
  const [provider, version, kind] = token.split(":");
  if (provider !== "kubernetes" || version === undefined || kind === undefined) return undefined;
  const partial = kind.endsWith("Patch");
  return { apiVersion: version.replace(/^core\//, ""), kind: partial ? kind.slice(0, -"Patch".length) : kind, partial };
}

export function isJudgedToken(token: string): boolean {
  const parsed = parseToken(token);
  return parsed !== undefined && isJudged(parsed.kind);
}

export function subjectOf(token: string, pulumiName: string, properties: Manifest): Subject {
  const { partial = false, ...said } = parseToken(token) ?? {};
  return { manifest: { ...said, ...properties }, pulumiName, ...(partial ? { partial } : {}) };
}
