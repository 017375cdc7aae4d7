import { type ChildProcess, spawn } from "node:child_process";
import { shell } from "./world";

export interface Forwarded {
  readonly url: string;
  readonly stop: () => void;
}

/** A port of a pod on this machine's loopback; the kubelet brings it there, so no network policy is asked. */
export async function forward(namespace: string, pod: string, port: number): Promise<Forwarded> {
  const child: ChildProcess = spawn("kubectl", ["port-forward", "-n", namespace, `pod/${pod}`, `:${port}`], {
    env: await shell(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const local = await new Promise<string>((done, fail) => {
    const timer = setTimeout(() => child.kill(), 30_000);
    child.stdout?.on("data", (data: Buffer) => {
      const found = /127\.0\.0\.1:(\d+)/.exec(data.toString())?.[1];
      if (!found) return;
      clearTimeout(timer);
      done(found);
    });
    child.on("exit", (code) => fail(new Error(`kubectl port-forward to ${pod} ended with ${code}`)));
  });
  return { url: `http://127.0.0.1:${local}`, stop: () => void child.kill() };
}
