import assert from "node:assert/strict";
import { test } from "node:test";
import { batchLength, halves, nextStep } from "../../src/core/batching.js";

const LIMITS = { flushAt: 20, flushIntervalMs: 10_000, maxBatchSize: 1000, maxBatchBytes: 5000 };
const view = (queuedCount: number, oldestQueuedAtMs: number | null, mustSendCount = 0) => ({
  queuedCount,
  oldestQueuedAtMs,
  mustSendCount,
});

test("an empty queue has nothing to do", () => {
  assert.deepEqual(nextStep(view(0, null), LIMITS, 0), { kind: "idle" });
});

test("flushAt events are sent at once, one less waits", () => {
  assert.deepEqual(nextStep(view(20, 0), LIMITS, 0), { kind: "send" });
  assert.deepEqual(nextStep(view(19, 0), LIMITS, 0), { kind: "wait", delayMs: 10_000 });
});

test("an event waits exactly the flush interval", () => {
  assert.deepEqual(nextStep(view(1, 1000), LIMITS, 10_999), { kind: "wait", delayMs: 1 });
  assert.deepEqual(nextStep(view(1, 1000), LIMITS, 11_000), { kind: "send" });
});

test("a flush does not wait", () => {
  assert.deepEqual(nextStep(view(1, 0, 1), LIMITS, 0), { kind: "send" });
});

test("a clock that was set back delays by one interval at most", () => {
  assert.deepEqual(nextStep(view(1, 1_000_000), LIMITS, 0), { kind: "wait", delayMs: 10_000 });
});

test("a batch has at most maxBatchSize events", () => {
  const events = Array.from({ length: 1001 }, () => ({ bytes: 1 }));
  assert.equal(batchLength(events, LIMITS), 1000);
  assert.equal(batchLength(events.slice(0, 999), LIMITS), 999);
});

test("a batch has at most maxBatchBytes, commas included", () => {
  assert.equal(batchLength([{ bytes: 2499 }, { bytes: 2499 }, { bytes: 1 }], LIMITS), 2); // 2500 + 2500 = 5000
  assert.equal(batchLength([{ bytes: 2500 }, { bytes: 2499 }], LIMITS), 1); // 2501 + 2500 = 5001
});

test("an event above maxBatchBytes travels alone", () => {
  assert.equal(batchLength([{ bytes: 9000 }, { bytes: 1 }], LIMITS), 1);
});

test("halves keep the order and lose nothing", () => {
  assert.deepEqual(halves([1, 2, 3]), [[1, 2], [3]]);
  assert.deepEqual(halves([1, 2]), [[1], [2]]);
});
