/**
 * Every error of this library.
 *
 *     LotusError                    code, message
 *       ValidationError             the call was wrong; nothing was sent
 *       ConnectionError             no answer came
 *         TimeoutError              no answer came in time
 *       ApiError                    the server answered with an error
 *       InvalidReplyError           the answer could not be understood
 *       EventError                  one event was not stored; carries the event
 *         EventRejectedError        the server refused it
 *           EventConflictError      its idempotency_id belongs to a different event
 *         QueueFullError            the queue was at its limit
 *         ClosedError               it came after shutdown()
 */

/** One thing that is wrong with a request. The same shape whether this library or the server found it. */
export interface ValidationProblem {
  /** The field, in snake_case, with a path into nested values: `properties.size`. Absent if it is about the whole. */
  field?: string;
  /** Stable and machine readable: `required`, `invalid`, ... */
  code?: string;
  /** One sentence for people. */
  detail?: string;
  [key: string]: unknown;
}

/** An event as it is sent to the server. */
export interface WireEvent {
  event_name: string;
  customer_id: string;
  idempotency_id: string;
  /** RFC 3339 text, as the caller gave it or the moment of the call. */
  time_created: string;
  properties: Record<string, unknown>;
}

/** The base of all errors of this library. */
export class LotusError extends Error {
  /** Stable and machine readable; for an ApiError the server's code. */
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The arguments of a call, or the options of the client, are wrong. Nothing was sent. All problems are listed. */
export class ValidationError extends LotusError {
  readonly validationErrors: readonly ValidationProblem[];

  constructor(validationErrors: readonly ValidationProblem[]) {
    super("validation_error", validationErrors.map((problem) => problem.detail).join("; "));
    this.validationErrors = validationErrors;
  }
}

/** No answer came, even after retries: refused, reset, unreachable, unknown host. `cause` is the original error. */
export class ConnectionError extends LotusError {
  constructor(message: string, options?: { cause?: unknown; code?: string }) {
    super(options?.code ?? "connection_error", message, options);
  }
}

/** No answer came within the `timeout` of an attempt, even after retries. The server may have done the work. */
export class TimeoutError extends ConnectionError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, { ...options, code: "timeout" });
  }
}

/** What an ApiError is made from. */
export interface ApiErrorFields {
  status: number;
  code: string;
  detail: string;
  type?: string | undefined;
  validationErrors?: readonly ValidationProblem[];
  requestId?: string | undefined;
  retryAfterSeconds?: number | undefined;
  body: unknown;
}

/** The server answered with an error status (after retries, where a retry could help). */
export class ApiError extends LotusError {
  /** HTTP status, 300 to 599. */
  readonly status: number;
  /** One sentence for people about this occurrence. */
  readonly detail: string;
  /** Link to the description of the code, if the server gave one. */
  readonly type: string | undefined;
  /** What is wrong field by field; empty if the server did not say. */
  readonly validationErrors: readonly ValidationProblem[];
  /** The `X-Request-Id` of the answer: name it when asking for help. */
  readonly requestId: string | undefined;
  /** Seconds after which the server wants to be asked again (`Retry-After`), if it said so. */
  readonly retryAfterSeconds: number | undefined;
  /** The answer: parsed if it was JSON, text otherwise. */
  readonly body: unknown;

  constructor(fields: ApiErrorFields) {
    const request = fields.requestId === undefined ? "" : ` (request ${fields.requestId})`;
    super(fields.code, `${fields.status} ${fields.code}: ${fields.detail}${request}`);
    this.status = fields.status;
    this.detail = fields.detail;
    this.type = fields.type;
    this.validationErrors = fields.validationErrors ?? [];
    this.requestId = fields.requestId;
    this.retryAfterSeconds = fields.retryAfterSeconds;
    this.body = fields.body;
  }
}

/** The server answered with success, but the answer could not be understood: something else than Lotus may be at `host`. */
export class InvalidReplyError extends LotusError {
  readonly status: number;
  readonly requestId: string | undefined;
  /** The text of the answer. */
  readonly body: string;

  constructor(message: string, reply: { status: number; requestId?: string | undefined; body: string }) {
    super("invalid_reply", message);
    this.status = reply.status;
    this.requestId = reply.requestId;
    this.body = reply.body;
  }
}

/** One event was not stored. `event` is complete, with its idempotency_id, so it can be kept and tracked again safely. */
export class EventError extends LotusError {
  readonly event: WireEvent;

  constructor(code: string, message: string, event: WireEvent) {
    super(code, message);
    this.event = event;
  }
}

/** The server refused this event. Sending it again unchanged will not help. */
export class EventRejectedError extends EventError {
  /** The server's reason. */
  readonly reason: string;

  constructor(event: WireEvent, reason: string, code = "event_rejected") {
    super(code, `event ${event.idempotency_id} (${event.event_name}) was not stored: ${reason}`, event);
    this.reason = reason;
  }
}

/** An event with the same idempotency_id and a different content was stored before. That one stands; this one was not stored. */
export class EventConflictError extends EventRejectedError {
  constructor(event: WireEvent, reason: string) {
    super(event, reason, "event_conflict");
  }
}

/** The queue held `maxQueueSize` events, so this one was not taken in. Counted in `stats.dropped`. */
export class QueueFullError extends EventError {
  constructor(event: WireEvent, maxQueueSize: number) {
    super("queue_full", `the queue is full (${maxQueueSize} events), event ${event.idempotency_id} was dropped`, event);
  }
}

/** The event was tracked after `shutdown()`, so it was not taken in. */
export class ClosedError extends EventError {
  constructor(event: WireEvent) {
    super("closed", `the client was shut down, event ${event.idempotency_id} was dropped`, event);
  }
}
