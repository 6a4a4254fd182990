import { halves } from "../core/batching.js";
import { track } from "../core/calls.js";
import { batchBody } from "../core/event.js";
import { apiErrorOf, invalidReplyOf, readValue } from "../core/reply.js";
import { type Endpoint, requestOf } from "../core/request.js";
import { errorOf, hasVerdicts, verdictsOf } from "../core/verdicts.js";
import { LotusError } from "../errors.js";
import type { Deliver, PendingEvent } from "./event-queue.js";
import type { Patience, Sender } from "./sender.js";
import type { TransportResponse } from "./transport.js";

/** A Deliver that sends batches to the server, and settles each event by what the server says about it. */
export function deliverTo(sender: Sender, endpoint: Endpoint, patience: Patience, nowMs: () => number): Deliver {
  const deliver: Deliver = async (batch) => {
    try {
      const reply = await sender.exchange(requestOf(track(batchBody(batch)), endpoint, null), patience);
      if (reply.status === 413 && batch.length > 1) {
        for (const half of halves(batch)) await deliver(half);
      } else {
        settle(batch, reply, nowMs());
      }
    } catch (error) {
      const typed =
        error instanceof LotusError ? error : new LotusError("internal_error", String(error), { cause: error });
      for (const event of batch) event.reject(typed);
    }
  };
  return deliver;
}

function settle(batch: readonly PendingEvent[], reply: TransportResponse, nowMs: number): void {
  const body = bodyWithVerdicts(reply, nowMs);
  const verdicts = verdictsOf(batch, body);
  batch.forEach((event, at) => {
    const verdict = verdicts[at] ?? null;
    const error =
      verdict === null ? invalidReplyOf(reply, `has no verdict for event ${event.id}`) : errorOf(event, verdict);
    if (error !== null) event.reject(error);
    else if (verdict !== null) event.resolve(verdict);
  });
}

/** The body, whether some events were stored (2xx) or none (400 with verdicts). Throws for any other answer. */
function bodyWithVerdicts(reply: TransportResponse, nowMs: number) {
  const isSuccess = reply.status >= 200 && reply.status <= 299;
  if (isSuccess) {
    const value = readValue(reply, "number", nowMs);
    if (hasVerdicts(value)) return value;
    throw invalidReplyOf(reply, "has no verdicts");
  }
  const error = apiErrorOf(reply, nowMs);
  if (hasVerdicts(error.body)) return error.body;
  throw error;
}
