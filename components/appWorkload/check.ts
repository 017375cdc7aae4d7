import type { AppWorkloadArgs } from ".";
import { checkAppSettings } from "../lib/appSettings";
import { Faults } from "../lib/faults";
import { checkStrategy } from "../lib/strategyConfig";

/** Names all that is wrong with an application at once. */
export function check(name: string, args: AppWorkloadArgs): void {
  const faults = new Faults();
  if (args.autoscale && args.replicas !== undefined)
    faults.add("replicas", args.replicas, "nothing, as autoscale decides");
  if (!args.autoscale && args.replicas === undefined) faults.add("replicas", undefined, "a number, or autoscale");
  if (args.storage && args.replicas !== 1) faults.add("replicas", args.replicas, "1, as its volume takes one writer");
  if (args.host && !args.edge) faults.add("edge", undefined, "the Edge under whose domain the host is");
  if (args.load && !args.store) faults.add("store", undefined, "the ObjectStore whose bucket is loaded");
  if (args.path && !args.host) faults.add("path", args.path, "nothing, as there is no host");
  if (Object.keys(args.secrets ?? {}).length + (args.generate ?? []).length > 0 && !args.vault)
    faults.add("vault", undefined, "the SecretsPlatform that keeps the secrets");
  checkStrategy("strategy", args, faults);
  if (args.strategy && !args.switcher) faults.add("switcher", undefined, "what the strategy takes of its environment");
  checkAppSettings(name, "args", args, faults);
  faults.throwIfAny(`the application "${name}" cannot be made`, "Mend its arguments.");
}
