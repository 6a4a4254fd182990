import { randomUUID } from "node:crypto";

/** The world around the client apart from the network. Replace parts of it in tests to decide about time and chance. */
export interface Runtime {
  /** Unix time in milliseconds. */
  nowMs(): number;
  /** A number in [0, 1), for the jitter of retries. */
  random(): number;
  /** A new UUID (version 4), for idempotency ids and keys. */
  uuid(): string;
  /** Resolves after so many milliseconds; the process stays alive meanwhile. */
  wait(delayMs: number): Promise<void>;
  /** Runs a function after so many milliseconds, unless cancelled by the returned function; does not keep the process alive. */
  after(delayMs: number, run: () => void): () => void;
  /** Runs a function each time the process has nothing left to do, until the returned function is called. */
  beforeExit(run: () => void): () => void;
}

/** Real time and real chance. */
export const systemRuntime: Runtime = {
  nowMs: () => Date.now(),
  random: () => Math.random(),
  uuid: () => randomUUID(),
  wait: (delayMs) => new Promise((resolve) => void setTimeout(resolve, delayMs)),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  beforeExit(run) {
    exitListeners.add(run);
    if (exitListeners.size === 1) process.on("beforeExit", runExitListeners);
    return () => {
      exitListeners.delete(run);
      if (exitListeners.size === 0) process.off("beforeExit", runExitListeners);
    };
  },
};

/** One listener for all clients of the process: a listener each would look like a leak to Node. */
const exitListeners = new Set<() => void>();

function runExitListeners(): void {
  for (const run of [...exitListeners]) run();
}

/** The system's runtime with parts replaced. The parts may be methods of an object: they keep their `this`. */
export function runtimeWith(parts: Partial<Runtime>): Runtime {
  const runtime: Runtime = { ...systemRuntime };
  const replace = <K extends keyof Runtime>(name: K) => {
    const part = parts[name];
    if (part !== undefined) runtime[name] = part.bind(parts) as Runtime[K];
  };
  for (const name of Object.keys(systemRuntime) as (keyof Runtime)[]) replace(name);
  return runtime;
}
