import { ConnectionError, TimeoutError } from "../errors.js";

/** One attempt of a request, as a Transport gets it. */
export interface TransportRequest {
  method: "GET" | "POST";
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Text (UTF-8), bytes if compressed, or null. */
  body: string | Uint8Array | null;
  /** Milliseconds until the attempt must be given up; null for never. */
  timeoutMs: number | null;
}

/** The answer to one attempt. */
export interface TransportResponse {
  status: number;
  /** The value of a header, by its name in any case; null if absent. */
  header(name: string): string | null;
  /** The whole body as text. */
  body: string;
}

/**
 * Sends one request and reads the whole answer. It neither retries nor judges the status. Anything it throws counts as
 * "no answer came" and is retried; a TimeoutError stays what it is. Most people never write one: it is for tests (answer
 * without a network) and for special networks.
 */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>;

/** The part of `fetch` that is used here. The global fetch fits, and so do its relatives. */
// biome-ignore lint/suspicious/noExplicitAny: the fetch functions that exist do not agree on their types.
export type FetchLike = (url: string, init: any) => Promise<FetchLikeResponse>;

/** The part of a fetch response that is used here. */
export interface FetchLikeResponse {
  status: number;
  headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/**
 * A Transport over a fetch function. Connections are kept open and used again by Node's fetch itself. Redirects are not
 * followed: a redirected POST would become a GET, and the API key would travel to another host.
 */
export function fetchTransport(fetchFunction?: FetchLike): Transport {
  return async (request) => {
    const fetchNow = fetchFunction ?? (globalThis.fetch as FetchLike);
    const signal = request.timeoutMs === null ? undefined : AbortSignal.timeout(request.timeoutMs);
    try {
      const { method, headers, body } = request;
      const response = await fetchNow(request.url, { method, headers, body, redirect: "manual", signal });
      const text = await response.text();
      return { status: response.status, header: (name) => response.headers.get(name), body: text };
    } catch (error) {
      throw connectionErrorOf(error, request);
    }
  };
}

/** The typed error for whatever a transport threw. */
export function connectionErrorOf(error: unknown, request: TransportRequest): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const target = `${request.method} ${new URL(request.url).origin}`;
  if (isTimeout(error))
    return new TimeoutError(`${target}: no answer within ${request.timeoutMs} ms`, { cause: error });
  return new ConnectionError(`${target}: ${reasonOf(error)}`, { cause: error });
}

/** fetch says only "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  if (!(cause instanceof Error)) return error.message;
  const code = (cause as { code?: unknown }).code;
  return cause.message || String(code ?? error.message);
}

function isTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "TimeoutError") return true;
  const code = (error.cause as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code);
}
