import assert from "node:assert/strict";
import { test } from "node:test";
import { delayBeforeRetryMs, isRetryableStatus, retryAfterMs } from "../../src/core/retry.js";

const POLICY = { retryCount: 3, delayBaseMs: 500, delayMaxMs: 30_000, retryAfterMaxMs: 60_000 };
const NOW_MS = Date.UTC(2026, 0, 1);
const delay = (
  status: number | null,
  retry: number,
  random = 0.999999,
  retryAfter: string | null = null,
  policy = POLICY,
) => delayBeforeRetryMs({ status, retryAfter }, { retry, random, nowMs: NOW_MS, policy });

test("no answer, 408, 429 and 5xx are retried; nothing else is", () => {
  assert.notEqual(delay(null, 0), null);
  for (const status of [408, 429, 500, 502, 503, 504, 599]) assert.equal(isRetryableStatus(status), true, `${status}`);
  for (const status of [200, 301, 400, 401, 404, 409, 413, 422]) {
    assert.equal(isRetryableStatus(status), false, `${status}`);
    assert.equal(delay(status, 0), null);
  }
});

test("the ceiling of the delay doubles up to its maximum", () => {
  const forever = { ...POLICY, retryCount: Infinity };
  const ceilings = [0, 1, 2, 3, 4, 5, 6, 7, 1000].map((retry) => delay(500, retry, 0.999999, null, forever));
  assert.deepEqual(ceilings, [499, 999, 1999, 3999, 7999, 15_999, 29_999, 29_999, 29_999]);
});

test("full jitter reaches down to zero", () => {
  assert.equal(delay(500, 2, 0), 0);
  assert.equal(delay(500, 2, 0.5), 1000);
});

test("it gives up after retryCount retries", () => {
  assert.notEqual(delay(500, 2), null);
  assert.equal(delay(500, 3), null);
});

test("Retry-After is a lower bound, with some jitter on top", () => {
  assert.equal(delay(429, 0, 0, "7"), 7000);
  assert.equal(delay(503, 2, 0.5, "7"), 7500);
});

test("a longer Retry-After than the policy allows is not waited for", () => {
  assert.equal(delay(429, 0, 0, "60"), 60_000);
  assert.equal(delay(429, 0, 0, "61"), null);
});

test("Retry-After is read as seconds or as a date; the past is now", () => {
  assert.equal(retryAfterMs("0", NOW_MS), 0);
  assert.equal(retryAfterMs(" 1.5 ", NOW_MS), 1500);
  assert.equal(retryAfterMs("Thu, 01 Jan 2026 00:00:09 GMT", NOW_MS), 9000);
  assert.equal(retryAfterMs("Wed, 31 Dec 2025 00:00:00 GMT", NOW_MS), 0);
  for (const header of [null, "", "soon"]) assert.equal(retryAfterMs(header, NOW_MS), null);
});
