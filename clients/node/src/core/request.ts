import { VERSION } from "../version.js";
import type { Call } from "./calls.js";

/** What is the same for all requests of a client. */
export interface Endpoint {
  apiKey: string;
  /** Without trailing slash. */
  host: string;
}

/** A request before compression. The same object is used for each attempt, so ids and keys stay as they are. */
export interface Request {
  method: "GET" | "POST";
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string | null;
}

/** The request of a call. idempotencyKey is null for calls that are repeatable without one. */
export function requestOf(call: Call, endpoint: Endpoint, idempotencyKey: string | null): Request {
  const query = new URLSearchParams(call.query).toString();
  const headers: Record<string, string> = {
    accept: "application/json",
    "user-agent": `lotus-node/${VERSION}`,
    "x-api-key": endpoint.apiKey,
  };
  if (call.body !== null) headers["content-type"] = "application/json";
  if (idempotencyKey !== null) headers["idempotency-key"] = idempotencyKey;
  return {
    method: call.method,
    url: `${endpoint.host}${call.path}${query === "" ? "" : `?${query}`}`,
    headers,
    body: call.body,
  };
}
