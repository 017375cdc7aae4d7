import * as pulumi from "@pulumi/pulumi";

/**
 * A program whose failures are one clear message. Faults in its input say all that is needed; a fault of the code itself
 * also says where. Left alone, Pulumi would print the error object with every resource that hangs on it, which can take
 * minutes.
 */
export function program<T>(work: () => Promise<T>): () => Promise<T> {
  return async () => {
    try {
      return await work();
    } catch (error) {
      const refusal = new pulumi.RunError(explained(error));
      // Pulumi renders an error's stack for its trace even where it shows the message alone: half a minute for nothing.
      delete refusal.stack;
      throw refusal;
    }
  };
}

export function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What we refuse is thrown as a plain Error; everything else is a surprise.
  if (error.constructor === Error && !pulumi.ResourceError.isInstance(error)) return error.message;
  const frames = (error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && !line.includes("node_modules"));
  return [`${error.name}: ${error.message}`, ...frames.slice(0, 5)].join("\n");
}
