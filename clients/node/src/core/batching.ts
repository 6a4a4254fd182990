/** The limits of batching. */
export interface BatchLimits {
  /** So many queued events are sent without waiting. */
  flushAt: number;
  /** An event waits at most this many milliseconds for company. */
  flushIntervalMs: number;
  /** Events in one request, at most. */
  maxBatchSize: number;
  /** Bytes of events in one request, at most; a larger single event travels alone. */
  maxBatchBytes: number;
}

/** What is known about the queue at one moment. */
export interface QueueView {
  queuedCount: number;
  /** How many events at the head of the queue someone asked to send at once (flush). */
  mustSendCount: number;
  /** Unix time in milliseconds at which the head was queued; null if the queue is empty. */
  oldestQueuedAtMs: number | null;
}

/** What to do now. */
export type Step = { kind: "send" } | { kind: "wait"; delayMs: number } | { kind: "idle" };

/** Sends when asked to, when there are enough events, or when the oldest has waited long enough (exactly the interval counts). */
export function nextStep(queue: QueueView, limits: BatchLimits, nowMs: number): Step {
  if (queue.queuedCount === 0 || queue.oldestQueuedAtMs === null) return { kind: "idle" };
  if (queue.mustSendCount > 0 || queue.queuedCount >= limits.flushAt) return { kind: "send" };
  // A wall clock that was set back must not make an event wait for more than one further interval.
  const waitedMs = Math.max(0, nowMs - queue.oldestQueuedAtMs);
  if (waitedMs >= limits.flushIntervalMs) return { kind: "send" };
  return { kind: "wait", delayMs: limits.flushIntervalMs - waitedMs };
}

/** How many events from the head go into the next request: at least 1, within both limits. */
export function batchLength(queue: readonly { bytes: number }[], limits: BatchLimits): number {
  const countMax = Math.min(queue.length, limits.maxBatchSize);
  let bytes = 0;
  for (let count = 0; count < countMax; count++) {
    bytes += (queue[count] as { bytes: number }).bytes + 1; // 1 for the comma
    if (bytes > limits.maxBatchBytes) return Math.max(1, count);
  }
  return countMax;
}

/** The two halves of a batch the server found too large; the first is the larger one. Needs at least 2 items. */
export function halves<T>(batch: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}
