import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeEvent } from "../../src/core/event.js";
import { errorOf, hasVerdicts, verdictsOf } from "../../src/core/verdicts.js";
import { EventConflictError, EventRejectedError } from "../../src/index.js";

const event = (id: string) =>
  encodeEvent({ event_name: "e", customer_id: "c", idempotency_id: id }, { nowMs: 0, newId: () => "" });
const EVENTS = ["a", "b", "c"].map(event);
const statuses = (reply: Parameters<typeof verdictsOf>[1], events = EVENTS) =>
  verdictsOf(events, reply).map((verdict) => verdict?.status ?? null);

test("each event gets its own verdict", () => {
  const results = [
    { idempotency_id: "a", status: "accepted" },
    { idempotency_id: "b", status: "conflict", reason: "different" },
    { idempotency_id: "c", status: "duplicate" },
  ];
  assert.deepEqual(statuses({ success: "some", results }), ["accepted", "conflict", "duplicate"]);
});

test("results in another order are found by id", () => {
  const results = [
    { idempotency_id: "c", status: "rejected" },
    { idempotency_id: "a", status: "accepted" },
    { idempotency_id: "b", status: "duplicate" },
  ];
  assert.deepEqual(statuses({ success: "some", results }), ["accepted", "duplicate", "rejected"]);
});

test("the same id twice in a request keeps both verdicts", () => {
  const twice = [event("a"), event("a"), event("b")];
  const results = [
    { idempotency_id: "b", status: "accepted" },
    { idempotency_id: "a", status: "accepted" },
    { idempotency_id: "a", status: "duplicate" },
  ];
  assert.deepEqual(statuses({ success: "all", results }, twice), ["accepted", "duplicate", "accepted"]);
});

test("an answer without results names only what failed", () => {
  assert.deepEqual(statuses({ success: "all" }), ["accepted", "accepted", "accepted"]);
  assert.deepEqual(statuses({ success: "some", failed_events: { b: "no" } }), ["accepted", "rejected", "accepted"]);
});

test("what the answer does not say is not guessed", () => {
  assert.deepEqual(statuses({ success: "all", results: [{ idempotency_id: "a", status: "accepted" }] }), [
    "accepted",
    null,
    null,
  ]);
  assert.deepEqual(statuses({ success: "all", results: [{ idempotency_id: "a", status: "new word" }] }), [
    null,
    null,
    null,
  ]);
  assert.deepEqual(statuses({ success: "none", failed_events: {} }), [null, null, null]);
});

test("refused events have an error that carries them", () => {
  const rejected = errorOf(event("a"), { status: "rejected", reason: "too far ahead" });
  assert.ok(rejected instanceof EventRejectedError && !(rejected instanceof EventConflictError));
  assert.equal(rejected.code, "event_rejected");
  assert.equal(rejected.reason, "too far ahead");
  assert.equal(rejected.event.idempotency_id, "a");
  const conflict = errorOf(event("a"), { status: "conflict", reason: "different" });
  assert.ok(conflict instanceof EventConflictError);
  assert.equal(conflict.code, "event_conflict");
  assert.equal(errorOf(event("a"), { status: "accepted", reason: null }), null);
});

test("only a body with a success word has verdicts", () => {
  assert.equal(hasVerdicts({ success: "none", failed_events: {} }), true);
  for (const body of [null, "text", [], { title: "malformed" }]) assert.equal(hasVerdicts(body), false);
});
