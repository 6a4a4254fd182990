import { after } from "node:test";
import { Lotus, type LotusOptions } from "../../src/index.js";
import { HandRuntime } from "./hand-runtime.js";
import { type Handler, LabServer } from "./lab-server.js";

const started: LabServer[] = [];
after(() => Promise.all(started.map((lab) => lab.stop())));

/** A server that behaves as told, and a client of it with time in the test's hand. */
export async function withLab(handler?: Handler, options: LotusOptions = {}) {
  const lab = await LabServer.start(handler);
  started.push(lab);
  const runtime = new HandRuntime();
  const lotus = new Lotus("test-key", { host: lab.host, runtime, ...options });
  return { lab, lotus, runtime };
}

/** A promise that resolves when `release` is called. */
export function gate(): { opened: Promise<void>; release: () => void } {
  let release = () => {};
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { opened, release };
}
