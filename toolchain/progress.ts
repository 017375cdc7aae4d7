/** What a person sees of a run. One `Step` per item that has to be fetched or built. */
export interface Progress {
  start(position: string, item: string, what: string): Step;
}

interface Step {
  /** What is being done right now. */
  readonly note: (text: string) => void;
  readonly done: () => void;
  readonly failed: () => void;
}

const HEARTBEAT_MS = 30_000;
const FRAME_MS = 1000;

/** Lines on stderr: stdout belongs to what a command answers. A terminal gets a live line, a log gets heartbeats. */
export function consoleProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? liveProgress(stream) : lineProgress((line) => stream.write(`${line}\n`));
}

export function lineProgress(write: (line: string) => void, heartbeatMs = HEARTBEAT_MS): Progress {
  return {
    start(position, item, what) {
      const begun = Date.now();
      let last = "";
      write(`${position} ${item}: ${what}`);
      const beat = setInterval(
        () => write(`${position} ${item}: ${elapsed(begun)} so far${last && `, ${last}`}`),
        heartbeatMs,
      );
      beat.unref();
      const end = (word: string): void => {
        clearInterval(beat);
        write(`${position} ${item}: ${word} ${elapsed(begun)}`);
      };
      return {
        note: (text) => {
          if (text.startsWith("waiting")) write(`${position} ${item}: ${text}`);
          last = text;
        },
        done: () => end("ready in"),
        failed: () => end("failed after"),
      };
    },
  };
}

function liveProgress(stream: NodeJS.WriteStream): Progress {
  const current = new Map<object, () => string>();
  const draw = (): void => {
    const line = [...current.values()].map((text) => text()).join("  ");
    stream.write(`\r\u001b[K${line.slice(0, (stream.columns || 80) - 1)}`);
  };
  return {
    start(position, item, what) {
      const begun = Date.now();
      const key = {};
      let last = what;
      current.set(key, () => `${position} ${item}: ${last} ${elapsed(begun)}`);
      draw();
      const frame = setInterval(draw, FRAME_MS);
      frame.unref();
      const end = (word: string): void => {
        clearInterval(frame);
        current.delete(key);
        stream.write(`\r\u001b[K${position} ${item}: ${word} ${elapsed(begun)}\n`);
        if (current.size > 0) draw();
      };
      return {
        note: (text) => {
          last = text;
          draw();
        },
        done: () => end("ready in"),
        failed: () => end("failed after"),
      };
    },
  };
}

function elapsed(begun: number): string {
  const seconds = Math.round((Date.now() - begun) / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
