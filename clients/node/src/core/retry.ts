/** When and how often a request is tried again. */
export interface RetryPolicy {
  /** Retries after the first attempt, 0 or more; Infinity never gives up. */
  retryCount: number;
  /** The first delay is between 0 and this many milliseconds; the upper end doubles with each retry. */
  delayBaseMs: number;
  /** No computed delay is longer than this many milliseconds. */
  delayMaxMs: number;
  /** A server that asks for a longer pause than this many milliseconds is not asked again: the caller gets its answer. */
  retryAfterMaxMs: number;
}

/** How an attempt ended that may be repeated: no answer, an answer that made no sense, or a status. */
export type FailedAttempt = { status: number | null; retryAfter: string | null };

/** True for answers that may be different next time. Ids and keys are kept over retries, so repeating does no harm. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/**
 * Milliseconds to wait before retry number `retry` (0 for the first), or null to give up.
 * Exponential with full jitter: `random` (in [0, 1)) x min(delayMaxMs, delayBaseMs x 2^retry). With base 500:
 * up to 500, 1000, 2000, ... A `Retry-After` is a lower bound; the jitter comes on top, so that clients spread out.
 */
export function delayBeforeRetryMs(
  attempt: FailedAttempt,
  { retry, random, nowMs, policy }: { retry: number; random: number; nowMs: number; policy: RetryPolicy },
): number | null {
  if (retry >= policy.retryCount) return null;
  if (attempt.status !== null && !isRetryableStatus(attempt.status)) return null;
  const ceilingMs = Math.min(policy.delayMaxMs, policy.delayBaseMs * 2 ** Math.min(retry, 30));
  const jitterMs = Math.floor(random * ceilingMs);
  const askedMs = retryAfterMs(attempt.retryAfter, nowMs);
  if (askedMs === null) return jitterMs;
  if (askedMs > policy.retryAfterMaxMs) return null;
  return askedMs + Math.min(jitterMs, policy.delayBaseMs);
}

/** Milliseconds from now that a `Retry-After` header (seconds, or an HTTP date) asks for; null if absent or unreadable. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null || header.trim() === "") return null;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Math.ceil(Number(header) * 1000);
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
