import assert from "node:assert/strict";
import { test } from "node:test";
import { batchBody, decodeEvent, encodeEvent } from "../../src/core/event.js";
import { ValidationError } from "../../src/index.js";

const CONTEXT = { nowMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6), newId: () => "new-id" };
const wire = (params: unknown) => JSON.parse(encodeEvent(params, CONTEXT).text);

test("id and time are filled in when missing", () => {
  assert.deepEqual(wire({ event_name: "call", customer_id: "c" }), {
    event_name: "call",
    customer_id: "c",
    idempotency_id: "new-id",
    time_created: "2026-01-02T03:04:05.006Z",
    properties: {},
  });
});

test("camelCase and snake_case give the same event", () => {
  const time = new Date(0);
  const properties = { camelCase: 1, snake_case: { innerKey: 2 } };
  assert.deepEqual(
    wire({ eventName: "call", customerId: "c", idempotencyId: "i", timeCreated: time, properties }),
    wire({ event_name: "call", customer_id: "c", idempotency_id: "i", time_created: time, properties }),
  );
});

test("properties keep their names", () => {
  const properties = { camelCase: 1, snake_case: { innerKey: 2 } };
  assert.deepEqual(wire({ event_name: "call", customer_id: "c", properties }).properties, properties);
});

test("time_created is sent as given", () => {
  const time = (time_created: unknown) => wire({ event_name: "call", customer_id: "c", time_created }).time_created;
  assert.equal(time(new Date(Date.UTC(2022, 1, 23))), "2022-02-23T00:00:00.000Z");
  assert.equal(time("2022-02-23 10:00:00.123456+02:00"), "2022-02-23 10:00:00.123456+02:00");
});

test("all problems are reported at once", () => {
  const problems = (params: unknown) => {
    try {
      encodeEvent(params, CONTEXT);
    } catch (error) {
      assert.ok(error instanceof ValidationError);
      return error.validationErrors.map((problem) => [problem.field, problem.code]);
    }
    return [];
  };
  const bothMissing = [
    ["event_name", "required"],
    ["customer_id", "required"],
  ];
  for (const nothing of [undefined, null, {}, 7, "event"]) assert.deepEqual(problems(nothing), bothMissing);
  assert.deepEqual(
    problems({ event_name: "", customer_id: 5, idempotency_id: "", time_created: 99, properties: [Number.NaN] }),
    [
      ["event_name", "invalid"],
      ["customer_id", "invalid"],
      ["idempotency_id", "invalid"],
      ["time_created", "invalid"],
      ["properties", "invalid"],
      ["properties.0", "invalid"],
    ],
  );
});

test("an event no strict parser would read is refused before it can harm its neighbours", () => {
  for (const params of [
    { event_name: "\ud800", customer_id: "c" },
    { event_name: "e", customer_id: "c", properties: { a: "\udc00" } },
  ]) {
    assert.throws(() => encodeEvent(params, CONTEXT), ValidationError);
  }
});

test("bytes are those of UTF-8", () => {
  const event = encodeEvent({ event_name: "é😀", customer_id: "c" }, CONTEXT);
  assert.equal(event.bytes, Buffer.byteLength(event.text));
});

test("a batch is one JSON object, and an event can be read back", () => {
  const events = ["a", "b"].map((customer_id) => encodeEvent({ event_name: "e", customer_id }, CONTEXT));
  assert.deepEqual(JSON.parse(batchBody(events)), { batch: events.map(decodeEvent) });
});
