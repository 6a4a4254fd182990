import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ApiError,
  ClosedError,
  ConnectionError,
  InvalidReplyError,
  type LotusError,
  QueueFullError,
  type WireEvent,
} from "../../src/index.js";
import { settle } from "../support/hand-runtime.js";
import { type Answer, acceptAll, verdicts } from "../support/lab-server.js";
import { warningsOfType } from "../support/strict-warnings.js";
import { gate, withLab } from "../support/with-lab.js";

const event = (id: string) => ({ event_name: "call", customer_id: "c", idempotency_id: id });
const lotusWarnings = warningsOfType("LotusWarning");

for (const failure of [
  { name: "status 500", answer: { status: 500 } },
  { name: "status 503", answer: { status: 503 } },
  { name: "status 429", answer: { status: 429 } },
  { name: "a dropped connection", answer: "drop" },
  { name: "an answer cut short", answer: "cut" },
  { name: "the answer of a stranger", answer: { status: 200, body: "<html>Welcome to the hotel" } },
] as { name: string; answer: Answer }[]) {
  test(`after ${failure.name} the same events are sent again`, async () => {
    const { lab, lotus, runtime } = await withLab((request, index) =>
      index < 3 ? failure.answer : acceptAll(request, index),
    );
    const promise = lotus.trackEvent({ event_name: "call", customer_id: "c" });
    await lotus.flush();
    assert.equal((await promise).status, "accepted");
    assert.equal(lab.received.length, 4);
    assert.equal(new Set(lab.received.map((request) => request.text)).size, 1);
    assert.deepEqual(runtime.waitedMs, [250, 500, 1000]); // 0.5 x 500, 1000, 2000
    assert.equal(lotus.stats.retries, 3);
  });
}

test("Retry-After is honoured", async () => {
  const { lotus, runtime } = await withLab((request, index) =>
    index === 0 ? { status: 429, headers: { "retry-after": "120" } } : acceptAll(request, index),
  );
  lotus.trackEvent(event("a"));
  assert.equal((await lotus.flush()).accepted, 1);
  assert.deepEqual(runtime.waitedMs, [120_250]);
});

test("a server that never answers is given up after the timeout, and asked again", async () => {
  const { lab, lotus } = await withLab((request, index) => (index === 0 ? "hang" : acceptAll(request, index)), {
    timeout: 100,
  });
  lotus.trackEvent(event("a"));
  assert.equal((await lotus.flush()).accepted, 1);
  assert.equal(lab.received.length, 2);
});

test("when all retries failed the promise rejects and onError gets the event with its id", async () => {
  const seen: [LotusError, WireEvent | null][] = [];
  const { lab, lotus } = await withLab(() => "drop", { retryCount: 1, onError: (...args) => void seen.push(args) });
  const promise = lotus.trackEvent({ event_name: "call", customer_id: "c" });
  assert.deepEqual(await lotus.flush(), { accepted: 0, duplicates: 0, failed: 1 });
  await assert.rejects(promise, ConnectionError);
  await settle();
  assert.equal(lab.received.length, 2);
  assert.equal(seen.length, 1);
  assert.ok(seen[0]?.[0] instanceof ConnectionError);
  assert.equal(seen[0]?.[1]?.idempotency_id, lab.received[0]?.json.batch[0].idempotency_id);
});

test("retryCount: Infinity does not give up", async () => {
  const { lotus } = await withLab((request, index) => (index < 40 ? { status: 502 } : acceptAll(request, index)), {
    retryCount: Infinity,
  });
  lotus.trackEvent(event("a"));
  assert.equal((await lotus.flush()).accepted, 1);
  assert.equal(lotus.stats.retries, 40);
});

test("an error that a retry cannot help is not retried", async () => {
  const { lab, lotus } = await withLab(() => ({ status: 401, body: { title: "invalid_api_key", detail: "no" } }));
  const promise = lotus.trackEvent(event("a"));
  await lotus.flush();
  await assert.rejects(promise, (error) => error instanceof ApiError && error.code === "invalid_api_key");
  assert.equal(lab.received.length, 1);
});

test("a success without verdicts is not taken for one", async () => {
  const { lotus } = await withLab(() => ({ status: 201, body: {} }));
  const promise = lotus.trackEvent(event("a"));
  await lotus.flush();
  await assert.rejects(promise, InvalidReplyError);
});

test("a batch that is too large is halved until it fits, in order and without loss", async () => {
  const { lab, lotus } = await withLab((request, index) =>
    request.json.batch.length > 3 ? { status: 413 } : acceptAll(request, index),
  );
  const ids = Array.from({ length: 10 }, (_, n) => `e${n}`);
  for (const id of ids) lotus.trackEvent(event(id));
  assert.equal((await lotus.flush()).accepted, 10);
  const stored = lab.trackedIds.filter((batch) => batch.length <= 3);
  assert.deepEqual(stored.flat(), ids);
});

test("an event that is too large by itself fails alone", async () => {
  const { lotus } = await withLab((request, index) =>
    request.text.includes("huge")
      ? { status: 413, body: { title: "too_large", detail: "no" } }
      : acceptAll(request, index),
  );
  const promises = Promise.allSettled(["a", "huge", "b", "c"].map((id) => lotus.trackEvent(event(id))));
  assert.deepEqual(await lotus.flush(), { accepted: 3, duplicates: 0, failed: 1 });
  assert.deepEqual(
    (await promises).map((outcome) => outcome.status),
    ["fulfilled", "rejected", "fulfilled", "fulfilled"],
  );
});

test("a full queue refuses new events visibly and keeps the old ones", async () => {
  const seen: LotusError[] = [];
  const { lab, lotus } = await withLab(acceptAll, {
    maxQueueSize: 3,
    flushAt: 3,
    onError: (error) => void seen.push(error),
  });
  const promises = Promise.allSettled(["a", "b", "c", "d"].map((id) => lotus.trackEvent(event(id))));
  await lotus.flush();
  const last = (await promises)[3];
  assert.ok(last?.status === "rejected" && last.reason instanceof QueueFullError);
  assert.equal(last.reason.event.idempotency_id, "d");
  assert.deepEqual(lab.trackedIds.flat(), ["a", "b", "c"]);
  assert.equal(lotus.stats.dropped, 1);
  await settle();
  assert.equal(seen[0]?.code, "queue_full");
  assert.equal((await Promise.all([lotus.trackEvent(event("e")), lotus.flush()]))[0].status, "accepted");
});

test("events under way count for the limit of the queue", async () => {
  const { opened, release } = gate();
  const { lab, lotus } = await withLab(
    async (request, index) => {
      await opened;
      return acceptAll(request, index);
    },
    { maxQueueSize: 2, flushAt: 2, onError: () => {} },
  );
  lotus.trackEvent(event("a"));
  lotus.trackEvent(event("b"));
  while (lab.received.length === 0) await settle();
  await assert.rejects(lotus.trackEvent(event("c")), QueueFullError);
  release();
  assert.equal((await lotus.flush()).accepted, 2);
});

test("shutdown sends all queued and in-flight events, however many, through failures", async () => {
  const { lab, lotus } = await withLab((request, index) => {
    if (index % 3 === 0) return { status: 503 };
    if (index % 3 === 1) return "drop";
    return acceptAll(request, index);
  });
  for (let n = 0; n < 12_345; n++) lotus.trackEvent(event(`e${n}`));
  assert.deepEqual(await lotus.shutdown(), { accepted: 12_345, duplicates: 0, failed: 0 });
  const stored = lab.trackedIds.filter((_, index) => index % 3 === 2).flat();
  assert.equal(new Set(stored).size, 12_345);
  assert.equal(stored.length, 12_345);
});

test("after shutdown events are refused visibly; other calls still work", async () => {
  const { lotus } = await withLab((request, index) =>
    request.path === "/api/track/" ? acceptAll(request, index) : { status: 200, body: [] },
  );
  await lotus.shutdown();
  await assert.rejects(lotus.trackEvent(event("a")), ClosedError);
  assert.deepEqual(await lotus.shutdown(), { accepted: 0, duplicates: 0, failed: 0 });
  assert.equal(lotus.stats.dropped, 1);
  assert.deepEqual(await lotus.getPlans(), []);
});

test("the end of the process flushes", async () => {
  const { lotus, runtime } = await withLab();
  const promise = lotus.trackEvent(event("a"));
  runtime.comeToAnEnd();
  assert.equal((await promise).status, "accepted");
});

test("a failure nobody waits for is one warning for each kind", async () => {
  const { lotus } = await withLab((request) => ({
    status: 201,
    body: verdicts(request, () => ({ status: "rejected", reason: "because" })),
  }));
  lotus.trackEvent(event("a"));
  lotus.trackEvent(event("b"));
  await lotus.flush();
  await settle();
  assert.equal(lotusWarnings.length, 1);
  assert.match(lotusWarnings[0]?.message ?? "", /event a .*because.*onError/);
  assert.equal(lotus.stats.failed, 2);
});

test("a failure that is awaited is no warning", async () => {
  const { lotus } = await withLab(() => ({ status: 403 }));
  const before = lotusWarnings.length;
  const awaited = (async () => {
    try {
      await lotus.trackEvent(event("a"));
      return null;
    } catch (error) {
      return error;
    }
  })();
  await lotus.flush();
  assert.ok((await awaited) instanceof ApiError);
  await settle();
  assert.equal(lotusWarnings.length, before);
});
