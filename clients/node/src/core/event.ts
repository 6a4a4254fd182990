import { ValidationError, type WireEvent } from "../errors.js";
import { problemsOf, type Rules } from "./check.js";
import { fieldsOf } from "./fields.js";
import { encodeJson, HALF_PAIR, hasHalfPair } from "./json.js";

const RULES: Rules = {
  required: ["event_name", "customer_id"],
  kinds: {
    event_name: "text",
    customer_id: "text",
    idempotency_id: "text",
    time_created: "instant",
    properties: "object",
  },
};

/** An event that is ready to travel. Encoded once: what the caller does to the object afterwards changes nothing. */
export interface EncodedEvent {
  id: string;
  text: string;
  /** Length of the text in UTF-8. */
  bytes: number;
}

/** Turns the argument of trackEvent into its wire form. Throws a ValidationError that lists every problem. */
export function encodeEvent(params: unknown, { nowMs, newId }: { nowMs: number; newId: () => string }): EncodedEvent {
  const fields = fieldsOf(params);
  const encoded = encodeJson({ properties: fields.properties ?? {} });
  const problems = [...problemsOf(fields, RULES), ...encoded.problems];
  if (problems.length > 0) throw new ValidationError(problems);
  const id = (fields.idempotency_id as string | undefined) ?? newId();
  const text = JSON.stringify({
    event_name: fields.event_name,
    customer_id: fields.customer_id,
    idempotency_id: id,
    time_created: fields.time_created ?? new Date(nowMs).toISOString(),
  });
  // The properties were encoded, and checked, above: join the two objects instead of encoding them again.
  const whole = `${text.slice(0, -1)},${(encoded.text as string).slice(1)}`;
  if (hasHalfPair(text)) throw new ValidationError([HALF_PAIR]);
  return { id, text: whole, bytes: Buffer.byteLength(whole) };
}

/** The event as an object, for errors and callbacks. */
export function decodeEvent(event: EncodedEvent): WireEvent {
  return JSON.parse(event.text) as WireEvent;
}

/** The body of one request with these events. */
export function batchBody(events: readonly EncodedEvent[]): string {
  return `{"batch":[${events.map((event) => event.text).join(",")}]}`;
}
