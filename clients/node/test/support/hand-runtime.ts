import type { Runtime } from "../../src/index.js";

/** Time that stands still until a test moves it. Waits end at once and are written down. */
export class HandRuntime implements Runtime {
  readonly waitedMs: number[] = [];
  private timers: { atMs: number; run: () => void }[] = [];
  private readonly exits = new Set<() => void>();
  private uuidCount = 0;

  constructor(
    private timeMs = Date.UTC(2026, 0, 1),
    private readonly chance = 0.5,
  ) {}

  nowMs(): number {
    return this.timeMs;
  }

  random(): number {
    return this.chance;
  }

  uuid(): string {
    this.uuidCount++;
    return `00000000-0000-4000-8000-${String(this.uuidCount).padStart(12, "0")}`;
  }

  async wait(delayMs: number): Promise<void> {
    this.waitedMs.push(delayMs);
    this.timeMs += delayMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.timeMs + delayMs, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  beforeExit(run: () => void): () => void {
    this.exits.add(run);
    return () => void this.exits.delete(run);
  }

  /** Moves time forward and runs the timers that fall due. */
  advance(byMs: number): void {
    this.timeMs += byMs;
    const due = this.timers.filter((timer) => timer.atMs <= this.timeMs);
    this.timers = this.timers.filter((timer) => timer.atMs > this.timeMs);
    for (const timer of due) timer.run();
  }

  /** As if the process had nothing left to do. */
  comeToAnEnd(): void {
    for (const run of [...this.exits]) run();
  }

  get timerCount(): number {
    return this.timers.length;
  }

  get exitListenerCount(): number {
    return this.exits.size;
  }
}

/** Lets everything that is ready run: promises, and what setImmediate has planned. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
