import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import { isUnreadable } from "../core/reply.js";
import type { Request } from "../core/request.js";
import { delayBeforeRetryMs, type FailedAttempt, isRetryableStatus, type RetryPolicy } from "../core/retry.js";
import type { ConnectionError } from "../errors.js";
import type { Runtime } from "./runtime.js";
import { connectionErrorOf, type Transport, type TransportRequest, type TransportResponse } from "./transport.js";

const gzip = promisify(gzipCallback);

/** Milliseconds until an attempt is given up (null for never), and when to make the next one. */
export interface Patience {
  timeoutMs: number | null;
  retry: RetryPolicy;
}

/** How many attempts were made. */
export interface Traffic {
  requests: number;
  retries: number;
}

/** Sends requests, again where that helps. Knows nothing about what they mean. */
export class Sender {
  readonly traffic: Traffic = { requests: 0, retries: 0 };

  constructor(
    private readonly transport: Transport,
    private readonly runtime: Runtime,
    private readonly gzipMinBytes: number,
  ) {}

  /**
   * The last answer of the server, whatever its status. Throws a ConnectionError or TimeoutError if the last attempt got
   * none. Each attempt carries the same headers and the same bytes.
   */
  async exchange(request: Request, patience: Patience): Promise<TransportResponse> {
    const prepared = await this.prepare(request, patience.timeoutMs);
    for (let retry = 0; ; retry++) {
      const outcome = await this.attempt(prepared);
      const failed = failureOf(outcome);
      const delayMs =
        failed === null
          ? null
          : delayBeforeRetryMs(failed, {
              retry,
              random: this.runtime.random(),
              nowMs: this.runtime.nowMs(),
              policy: patience.retry,
            });
      if (delayMs === null) {
        if ("error" in outcome) throw outcome.error;
        return outcome.response;
      }
      this.traffic.retries++;
      await this.runtime.wait(delayMs);
    }
  }

  private async prepare(request: Request, timeoutMs: number | null): Promise<TransportRequest> {
    const { method, url, headers, body } = request;
    if (body === null || Buffer.byteLength(body) <= this.gzipMinBytes) return { method, url, headers, body, timeoutMs };
    const compressed = await gzip(body, { level: GZIP_LEVEL });
    return { method, url, headers: { ...headers, "content-encoding": "gzip" }, body: compressed, timeoutMs };
  }

  private async attempt(request: TransportRequest): Promise<Outcome> {
    this.traffic.requests++;
    try {
      return { response: await this.transport(request) };
    } catch (error) {
      return { error: connectionErrorOf(error, request) };
    }
  }
}

/** Event batches repeat themselves so much that the cheapest level does nearly all of the work. */
const GZIP_LEVEL = 1;

type Outcome = { response: TransportResponse } | { error: ConnectionError };

/** What went wrong, if it may go right next time; null otherwise. */
function failureOf(outcome: Outcome): FailedAttempt | null {
  if ("error" in outcome) return { status: null, retryAfter: null };
  const { response } = outcome;
  if (isRetryableStatus(response.status))
    return { status: response.status, retryAfter: response.header("retry-after") };
  return isUnreadable(response) ? { status: null, retryAfter: null } : null;
}
