import assert from "node:assert/strict";
import { test } from "node:test";
import { EventConflictError, EventRejectedError, ValidationError } from "../../src/index.js";
import { settle } from "../support/hand-runtime.js";
import { acceptAll, verdicts } from "../support/lab-server.js";
import { gate, withLab } from "../support/with-lab.js";

const event = (id: string) => ({ event_name: "call", customer_id: "c", idempotency_id: id });

test("flushAt events leave together, as soon as the last of them is tracked", async () => {
  const { lab, lotus } = await withLab(acceptAll, { flushAt: 3 });
  const promises = ["a", "b", "c"].map((id) => lotus.trackEvent(event(id)));
  assert.deepEqual(await Promise.all(promises), [
    { idempotency_id: "a", status: "accepted" },
    { idempotency_id: "b", status: "accepted" },
    { idempotency_id: "c", status: "accepted" },
  ]);
  assert.deepEqual(lab.trackedIds, [["a", "b", "c"]]);
});

test("fewer events leave when the oldest has waited for the flush interval", async () => {
  const { lab, lotus, runtime } = await withLab(acceptAll, { flushInterval: 10_000 });
  const promise = lotus.trackEvent(event("a"));
  await settle();
  runtime.advance(9999);
  await settle();
  assert.equal(lab.received.length, 0);
  runtime.advance(1);
  assert.equal((await promise).status, "accepted");
});

test("no timer and no exit listener is left when the queue is empty", async () => {
  const { lotus, runtime } = await withLab();
  lotus.trackEvent(event("a"));
  await settle();
  assert.deepEqual([runtime.timerCount, runtime.exitListenerCount], [1, 1]);
  await lotus.flush();
  await settle();
  assert.deepEqual([runtime.timerCount, runtime.exitListenerCount], [0, 0]);
});

test("a request asks for verdicts and carries key and agent", async () => {
  const { lab, lotus } = await withLab();
  lotus.trackEvent(event("a"));
  await lotus.flush();
  const request = lab.received[0];
  assert.equal(request?.method, "POST");
  assert.equal(request?.path, "/api/track/");
  assert.equal(request?.query.get("verbose"), "true");
  assert.equal(request?.headers["x-api-key"], "test-key");
  assert.match(String(request?.headers["user-agent"]), /^lotus-node\/\d/);
  assert.equal(request?.headers["content-type"], "application/json");
  assert.deepEqual(Object.keys(request?.json), ["batch"]);
});

test("events tracked in one loop travel in requests of up to 1000", async () => {
  const { lab, lotus } = await withLab();
  for (let n = 0; n < 2001; n++) lotus.trackEvent(event(`e${n}`));
  assert.deepEqual(await lotus.flush(), { accepted: 2001, duplicates: 0, failed: 0 });
  assert.deepEqual(
    lab.trackedIds.map((ids) => ids.length),
    [1000, 1000, 1],
  );
  assert.deepEqual(
    lab.trackedIds.flat(),
    Array.from({ length: 2001 }, (_, n) => `e${n}`),
  );
});

test("large events travel in more requests, each below the limit of bytes", async () => {
  const { lab, lotus } = await withLab();
  const filling = "x".repeat(30_000);
  for (let n = 0; n < 400; n++) lotus.trackEvent({ ...event(`e${n}`), properties: { filling } });
  assert.equal((await lotus.flush()).accepted, 400);
  assert.ok(lab.received.every((request) => request.text.length <= 5_000_100));
  assert.equal(lab.received.length, 3); // 400 x about 30.1 kB = 12.04 MB in requests of 5 MB
});

test("one request is under way at a time; the next takes what came meanwhile", async () => {
  const { opened, release } = gate();
  const { lab, lotus } = await withLab(
    async (request, index) => {
      if (index === 0) await opened;
      return acceptAll(request, index);
    },
    { flushAt: 1 },
  );
  const first = lotus.trackEvent(event("a"));
  while (lab.received.length === 0) await settle();
  const later = ["b", "c", "d"].map((id) => lotus.trackEvent(event(id)));
  assert.equal(lotus.stats.inFlight, 1);
  assert.equal(lotus.stats.queued, 3);
  release();
  await Promise.all([first, ...later]);
  assert.deepEqual(lab.trackedIds, [["a"], ["b", "c", "d"]]);
});

test("each event gets the server's verdict about it", async () => {
  const judged: Record<string, { status: string; reason?: string }> = {
    new: { status: "accepted" },
    again: { status: "duplicate" },
    other: { status: "conflict", reason: "content differs" },
    ahead: { status: "rejected", reason: "2 days ahead" },
  };
  const { lotus } = await withLab((request) => ({
    status: 201,
    body: verdicts(request, (one) => judged[one.idempotency_id] ?? { status: "rejected" }),
  }));
  const outcomes = Promise.allSettled(Object.keys(judged).map((id) => lotus.trackEvent(event(id))));
  assert.deepEqual(await lotus.flush(), { accepted: 1, duplicates: 1, failed: 2 });
  const [fresh, again, other, ahead] = await outcomes;
  assert.deepEqual(fresh, { status: "fulfilled", value: { idempotency_id: "new", status: "accepted" } });
  assert.deepEqual(again, { status: "fulfilled", value: { idempotency_id: "again", status: "duplicate" } });
  assert.ok(other?.status === "rejected" && other.reason instanceof EventConflictError);
  assert.equal(other.reason.reason, "content differs");
  assert.ok(ahead?.status === "rejected" && ahead.reason instanceof EventRejectedError);
  assert.equal(ahead.reason.event.idempotency_id, "ahead");
});

test("verdicts that come with status 400, because all events failed, are verdicts", async () => {
  const { lotus } = await withLab((request) => ({
    status: 400,
    body: verdicts(request, () => ({ status: "rejected", reason: "no such customer" })),
  }));
  const promise = lotus.trackEvent(event("a"));
  lotus.flush();
  await assert.rejects(promise, (error) => error instanceof EventRejectedError && error.reason === "no such customer");
});

test("the event is what it was at the moment of the call", async () => {
  const { lab, lotus, runtime } = await withLab();
  const params = { event_name: "call", customer_id: "c", properties: { list: [1] } };
  const calledAt = new Date(runtime.nowMs()).toISOString();
  lotus.trackEvent(params);
  params.properties.list.push(2);
  params.customer_id = "somebody else";
  runtime.advance(5000);
  await lotus.flush();
  const sent = lab.received[0]?.json.batch[0];
  assert.equal(sent.customer_id, "c");
  assert.deepEqual(sent.properties, { list: [1] });
  assert.equal(sent.time_created, calledAt);
});

test("a wrong event is a rejected promise, not an exception, and is not sent", async () => {
  const { lab, lotus } = await withLab();
  // @ts-expect-error: the argument is wrong on purpose
  await assert.rejects(lotus.trackEvent({ event_name: "call" }), ValidationError);
  // @ts-expect-error: the argument is missing on purpose
  await assert.rejects(lotus.trackEvent(), ValidationError);
  await lotus.flush();
  assert.equal(lab.received.length, 0);
});

test("enable: false sends nothing, and still checks", async () => {
  const { lab, lotus } = await withLab(acceptAll, { enable: false });
  assert.deepEqual(await lotus.trackEvent(event("a")), { idempotency_id: "a", status: "disabled" });
  // @ts-expect-error: the argument is wrong on purpose
  await assert.rejects(lotus.trackEvent({}), ValidationError);
  await lotus.shutdown();
  assert.equal(lab.received.length, 0);
});

test("callbacks get the verdict or the error", async () => {
  const { lotus } = await withLab((request) => ({
    status: 201,
    body: verdicts(request, (one) => ({ status: one.idempotency_id === "bad" ? "rejected" : "accepted" })),
  }));
  const outcome = (id: string) =>
    new Promise((resolve) => lotus.trackEvent(event(id), (error, value) => resolve(error ?? value)));
  const outcomes = Promise.all([outcome("good"), outcome("bad")]);
  await lotus.flush();
  const [good, bad] = await outcomes;
  assert.deepEqual(good, { idempotency_id: "good", status: "accepted" });
  assert.ok(bad instanceof EventRejectedError);
});
