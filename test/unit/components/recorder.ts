import * as pulumi from "@pulumi/pulumi";
import type {
  ReadResourceRequest,
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
} from "@pulumi/pulumi/proto/resource_pb";

export const SECRET = "[secret]";

export type Fields = Readonly<Record<string, unknown>>;

/** One resource as the engine would be told of it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly custom: boolean;
  /** Looked up, not made. */
  readonly read: boolean;
  /** URN of the parent. */
  readonly parent: string;
  /** `<URN>::<id>` of the provider, or nothing where the default one would be taken. */
  readonly provider: string;
  /** With `[secret]` in place of every secret. */
  readonly inputs: Fields;
  /** With the secrets opened, as the policies see them. */
  readonly opened: Fields;
  /** What the engine is told beside the inputs, where it differs from the default. */
  readonly options: Fields;
  /** Whether the engine is told to make the next one before it takes this one away. */
  readonly staysUntilReplaced: boolean;
  /** URNs. */
  readonly dependencies: readonly string[];
}

export interface Recording {
  readonly resources: readonly Registered[];
  /** Of the stack, with `[secret]` in place of every secret. */
  readonly outputs: Fields;
}

interface Monitor {
  newUrn(parent: string, type: string, name: string): string;
  registerResource(request: RegisterResourceRequest, callback: unknown): Promise<void>;
  readResource(request: ReadResourceRequest, callback: unknown): Promise<void>;
  registerResourceOutputs(request: RegisterResourceOutputsRequest, callback: unknown): void;
}

function eachSecret(value: unknown, replace: (secret: unknown) => unknown): unknown {
  if (pulumi.runtime.isRpcSecret(value)) return replace(pulumi.runtime.unwrapRpcSecret(value));
  if (Array.isArray(value)) return value.map((each) => eachSecret(each, replace));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, eachSecret(each, replace)]));
}

const hidden = (value: unknown): unknown => eachSecret(value, () => SECRET);
const opened = (value: unknown): unknown => eachSecret(value, opened);

function timeoutsOf(request: RegisterResourceRequest): Fields | undefined {
  const given = request.getCustomtimeouts();
  const all = { create: given?.getCreate(), update: given?.getUpdate(), delete: given?.getDelete() };
  const set = Object.entries(all).filter(([, value]) => value);
  return set.length > 0 ? Object.fromEntries(set) : undefined;
}

function optionsOf(request: RegisterResourceRequest): Fields {
  const options: Fields = {
    protect: request.getProtect() || undefined,
    retainOnDelete: request.getRetainondelete() || undefined,
    deleteBeforeReplace: request.getDeletebeforereplace() || undefined,
    deletedWith: request.getDeletedwith() || undefined,
    customTimeouts: timeoutsOf(request),
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    // The SDK's own aliases, one for each older API version of a kind, name neither a resource nor a URN.
    aliases: request.getAliasesList().flatMap((alias) => alias.getSpec()?.getName() || alias.getUrn() || []),
  };
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  );
}

function listen(monitor: Monitor, resources: Registered[], outputs: Record<string, Fields>): void {
  const register = monitor.registerResource.bind(monitor);
  const read = monitor.readResource.bind(monitor);
  const complete = monitor.registerResourceOutputs.bind(monitor);
  const identity = (request: RegisterResourceRequest | ReadResourceRequest) => ({
    type: request.getType(),
    name: request.getName(),
    urn: monitor.newUrn(request.getParent(), request.getType(), request.getName()),
    parent: request.getParent(),
    provider: request.getProvider(),
    dependencies: request.getDependenciesList(),
  });
  monitor.registerResource = (request, callback) => {
    const inputs = request.getObject()?.toJavaScript() ?? {};
    resources.push({
      ...identity(request),
      custom: request.getCustom(),
      read: false,
      inputs: hidden(inputs) as Fields,
      opened: opened(inputs) as Fields,
      options: optionsOf(request),
      staysUntilReplaced: request.getDeletebeforereplacedefined() && !request.getDeletebeforereplace(),
    });
    return register(request, callback);
  };
  monitor.readResource = (request, callback) => {
    const inputs = { id: request.getId() };
    const none = { options: {}, staysUntilReplaced: false };
    resources.push({ ...identity(request), ...none, custom: true, read: true, inputs, opened: inputs });
    return read(request, callback);
  };
  monitor.registerResourceOutputs = (request, callback) => {
    outputs[request.getUrn()] = hidden(request.getOutputs()?.toJavaScript() ?? {}) as Fields;
    complete(request, callback);
  };
}

type Answer = pulumi.runtime.Mocks["newResource"];

/** What the providers would answer; a name that is not given is made up, as the Kubernetes provider does. */
export const answer: Answer = ({ type, name, inputs, id }) => {
  const state = { ...(inputs as Fields) };
  if (type.startsWith("kubernetes:")) {
    const metadata = { name: `${name}-auto`, ...(state.metadata as { name?: string; namespace?: string } | undefined) };
    const status = type.endsWith(":Service") ? { loadBalancer: { ingress: [{ ip: "192.0.2.10" }] } } : undefined;
    const own = metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
    return { id: id || own, state: { ...state, metadata, ...(status ? { status } : {}) } };
  }
  if (type === "random:index/randomPassword:RandomPassword") {
    const result = pulumi.secret(`generated-${name}`);
    return { id: "none", state: { ...state, result, bcryptHash: pulumi.secret(`hashed-${name}`) } };
  }
  if (type === "docker:index/registryImage:RegistryImage") {
    return { id: `${name}-id`, state: { ...state, sha256Digest: `sha256:${"d".repeat(64)}` } };
  }
  return { id: id || `${name}-id`, state };
};

export interface Settings {
  readonly stack?: string;
  readonly preview?: boolean;
  /** `platform:key` → text, as the engine hands it over. */
  readonly config?: Readonly<Record<string, string>>;
  readonly newResource?: Answer;
  /** What the engine answers to an invoke. */
  readonly call?: pulumi.runtime.Mocks["call"];
  /** Told of each resource as it comes, for programs that break off. */
  readonly resources?: Registered[];
}

/** Runs a program under mocks to its end and gives what it asked the engine for. */
export async function record(
  program: () => Promise<Fields | void> | Fields | void,
  {
    stack = "dev",
    preview = false,
    config = {},
    newResource = answer,
    call = () => ({}),
    resources = [],
  }: Settings = {},
): Promise<Recording> {
  await pulumi.runtime.setMocks({ newResource, call }, "platform", stack, preview, "organization");
  pulumi.runtime.setAllConfig({ ...config });
  const outputs: Record<string, Fields> = {};
  listen(pulumi.runtime.getMonitor() as unknown as Monitor, resources, outputs);
  await pulumi.runtime.runInPulumiStack(async () => (await program()) ?? {});
  await pulumi.runtime.disconnect();
  return { resources, outputs: outputs[resources[0]?.urn ?? ""] ?? {} };
}
