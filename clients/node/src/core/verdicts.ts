import { EventConflictError, EventRejectedError } from "../errors.js";
import { decodeEvent, type EncodedEvent } from "./event.js";

/** What became of one event that was sent. */
export type Verdict =
  | { status: "accepted" | "duplicate"; reason: null }
  | { status: "rejected" | "conflict"; reason: string };

/** True if the body says what became of each event; the server says so with status 201, and with 400 if all failed. */
export function hasVerdicts(body: unknown): body is TrackReply {
  return typeof body === "object" && body !== null && typeof (body as TrackReply).success === "string";
}

/** The body of an answer to POST /api/track/. */
export interface TrackReply {
  success: "all" | "some" | "none";
  failed_events?: Record<string, string>;
  results?: { idempotency_id: string; status: string; reason?: string | null }[];
}

/**
 * The verdict of each event, in the order of the events; null where the answer says nothing about one.
 * Results are taken by position, or by id if positions do not fit. An answer without results names only what failed.
 */
export function verdictsOf(events: readonly EncodedEvent[], reply: TrackReply): (Verdict | null)[] {
  const results = reply.results;
  if (!Array.isArray(results)) return events.map((event) => withoutResults(event.id, reply));
  const fits =
    results.length === events.length && events.every((event, at) => results[at]?.idempotency_id === event.id);
  if (fits) return results.map(toVerdict);
  const byId = new Map<string, (Verdict | null)[]>();
  for (const result of results) {
    const sameId = byId.get(result.idempotency_id) ?? [];
    sameId.push(toVerdict(result));
    byId.set(result.idempotency_id, sameId);
  }
  return events.map((event) => {
    const sameId = byId.get(event.id) ?? [];
    return (sameId.length > 1 ? sameId.shift() : sameId[0]) ?? null;
  });
}

/** The error of an event that was refused; null if it is stored. */
export function errorOf(event: EncodedEvent, verdict: Verdict): EventRejectedError | null {
  if (verdict.status === "rejected") return new EventRejectedError(decodeEvent(event), verdict.reason);
  if (verdict.status === "conflict") return new EventConflictError(decodeEvent(event), verdict.reason);
  return null;
}

function toVerdict(result: { status: string; reason?: string | null }): Verdict | null {
  switch (result.status) {
    case "accepted":
    case "duplicate":
      return { status: result.status, reason: null };
    case "rejected":
    case "conflict":
      return { status: result.status, reason: result.reason ?? result.status };
    default:
      return null;
  }
}

function withoutResults(id: string, reply: TrackReply): Verdict | null {
  const failed = reply.failed_events ?? {};
  if (Object.hasOwn(failed, id)) return { status: "rejected", reason: String(failed[id]) };
  return reply.success === "none" ? null : { status: "accepted", reason: null };
}
