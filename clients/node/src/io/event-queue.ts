import { type BatchLimits, batchLength, nextStep } from "../core/batching.js";
import type { EncodedEvent } from "../core/event.js";
import type { Verdict } from "../core/verdicts.js";
import type { LotusError } from "../errors.js";
import type { Runtime } from "./runtime.js";

/** An event that waits for its verdict. */
export interface PendingEvent extends EncodedEvent {
  queuedAtMs: number;
  /** Called once: the event is stored. */
  resolve(verdict: Verdict): void;
  /** Called once: the event is not stored, or nobody knows. */
  reject(error: LotusError): void;
}

/** Sends one batch and settles each of its events. Never rejects. */
export type Deliver = (batch: readonly PendingEvent[]) => Promise<void>;

/**
 * Holds events in order until it is time to send them, one request at a time. What to do is decided in core/batching;
 * here are the timer, the promises and the end of the process.
 */
export class EventQueue {
  private waiting: PendingEvent[] = [];
  private mustSendCount = 0;
  private inFlight: readonly PendingEvent[] = [];
  private isStepPlanned = false;
  private cancelTimer: (() => void) | null = null;
  private cancelBeforeExit: (() => void) | null = null;
  private flushes: { untilSettledCount: number; done: () => void }[] = [];
  /** Events taken in and events settled since the start; both only grow, and settle in order. */
  private addedCount = 0;
  private settledCount = 0;

  constructor(
    private readonly deliver: Deliver,
    private readonly limits: BatchLimits,
    private readonly runtime: Runtime,
  ) {}

  /** Events that wait to be sent. */
  get queuedCount(): number {
    return this.waiting.length;
  }

  /** Events that were sent, or are being sent again, and have no verdict yet. */
  get inFlightCount(): number {
    return this.inFlight.length;
  }

  add(event: PendingEvent): void {
    this.waiting.push(event);
    this.addedCount++;
    this.cancelBeforeExit ??= this.runtime.beforeExit(() => void this.flush());
    this.planStep();
  }

  /** Sends what is queued now, without waiting for company. Resolves when all events added before have been settled. */
  flush(): Promise<void> {
    if (this.addedCount === this.settledCount) return Promise.resolve();
    this.mustSendCount = this.waiting.length;
    this.planStep();
    return new Promise((done) => void this.flushes.push({ untilSettledCount: this.addedCount, done }));
  }

  /** Decides after the running piece of code, so that events tracked in one loop travel together. */
  private planStep(): void {
    if (this.isStepPlanned || this.inFlight.length > 0) return;
    this.isStepPlanned = true;
    queueMicrotask(() => {
      this.isStepPlanned = false;
      this.step();
    });
  }

  private step(): void {
    const next = nextStep(
      {
        queuedCount: this.waiting.length,
        mustSendCount: this.mustSendCount,
        oldestQueuedAtMs: this.waiting[0]?.queuedAtMs ?? null,
      },
      this.limits,
      this.runtime.nowMs(),
    );
    if (next.kind === "send") {
      this.stopTimer();
      void this.sendBatch();
    } else if (next.kind === "wait") {
      this.cancelTimer ??= this.runtime.after(next.delayMs, () => {
        this.cancelTimer = null;
        this.planStep();
      });
    } else if (this.cancelBeforeExit !== null) {
      this.cancelBeforeExit();
      this.cancelBeforeExit = null;
    }
  }

  private async sendBatch(): Promise<void> {
    const count = batchLength(this.waiting, this.limits);
    const batch = this.waiting.splice(0, count);
    this.mustSendCount = Math.max(0, this.mustSendCount - count);
    this.inFlight = batch;
    await this.deliver(batch);
    this.inFlight = [];
    this.settledCount += batch.length;
    for (const flush of this.flushes) if (flush.untilSettledCount <= this.settledCount) flush.done();
    this.flushes = this.flushes.filter((flush) => flush.untilSettledCount > this.settledCount);
    this.planStep();
  }

  private stopTimer(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }
}
