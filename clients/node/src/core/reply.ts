import { ApiError, InvalidReplyError, type ValidationProblem } from "../errors.js";
import { parseJsonWithExactNumbers } from "./json.js";
import { retryAfterMs } from "./retry.js";

/** An answer of the server, whole. */
export interface Reply {
  status: number;
  /** The value of a header, by its name in any case; null if absent. */
  header(name: string): string | null;
  body: string;
}

/** How numbers are given to the caller. */
export type DecimalForm = "number" | "string";

/** The value of a successful answer. Throws an ApiError for any other status, an InvalidReplyError for a body that is no JSON. */
export function readValue(reply: Reply, decimals: DecimalForm, nowMs: number): unknown {
  if (reply.status < 200 || reply.status > 299) throw apiErrorOf(reply, nowMs);
  const value = parse(reply.body, decimals);
  if (value !== undefined) return value;
  throw invalidReplyOf(reply, "is not JSON");
}

/**
 * True for a success that is neither an object nor a list, as from a proxy that answers for the server. Asking again may
 * help. Looks at the first character only: an answer that was cut short never gets here, the transport reports it.
 */
export function isUnreadable(reply: Reply): boolean {
  return reply.status >= 200 && reply.status <= 299 && !/^\s*[[{]/.test(reply.body);
}

/** The error for an answer that is a success by its status and makes no sense. */
export function invalidReplyOf(reply: Reply, what: string): InvalidReplyError {
  const requestId = reply.header("x-request-id") ?? undefined;
  const start = reply.body.slice(0, 200);
  return new InvalidReplyError(`the answer (status ${reply.status}) ${what}: ${start}`, {
    status: reply.status,
    requestId,
    body: reply.body,
  });
}

/** The error an answer describes: a problem document (RFC 9457), or whatever else came with the status. */
export function apiErrorOf(reply: Reply, nowMs: number): ApiError {
  const body = parse(reply.body, "number");
  const problem = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const askedMs = retryAfterMs(reply.header("retry-after"), nowMs);
  return new ApiError({
    status: reply.status,
    code: textOf(problem.title) ?? `http_${reply.status}`,
    detail: textOf(problem.detail) ?? detailWithoutProblem(reply),
    type: textOf(problem.type),
    validationErrors: Array.isArray(problem.validation_errors)
      ? (problem.validation_errors as ValidationProblem[])
      : [],
    requestId: reply.header("x-request-id") ?? undefined,
    retryAfterSeconds: askedMs === null ? undefined : askedMs / 1000,
    body: body === undefined ? reply.body : body,
  });
}

function detailWithoutProblem(reply: Reply): string {
  const location = reply.header("location");
  if (reply.status < 400 && location !== null) {
    return `the server is somewhere else: ${location}. Redirects are not followed, because they would carry the API key along; correct host`;
  }
  return reply.body.slice(0, 200) || "the server gave no reason";
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** undefined if the text is no JSON. */
function parse(text: string, decimals: DecimalForm): unknown {
  try {
    return decimals === "string" ? parseJsonWithExactNumbers(text) : JSON.parse(text);
  } catch {
    return undefined;
  }
}
