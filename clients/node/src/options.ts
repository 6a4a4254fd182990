import type { BatchLimits } from "./core/batching.js";
import type { DecimalForm } from "./core/reply.js";
import type { Endpoint } from "./core/request.js";
import type { RetryPolicy } from "./core/retry.js";
import { type LotusError, ValidationError, type ValidationProblem, type WireEvent } from "./errors.js";
import { type Runtime, runtimeWith } from "./io/runtime.js";
import { type FetchLike, fetchTransport, type Transport } from "./io/transport.js";

/** The second argument of `new Lotus()`. Everything is optional. */
export interface LotusOptions<D extends DecimalForm = "number"> {
  /** Where the server is, with or without trailing slash. Default: `LOTUS_HOST` of the environment, else Lotus Cloud. */
  host?: string | undefined;
  /** So many queued events are sent at once, without waiting. 1 to maxQueueSize, default 20. */
  flushAt?: number;
  /** Milliseconds an event waits for company, at most. 0 or more, default 10000. */
  flushInterval?: number;
  /** Milliseconds until one attempt of a request is given up; false for never. Default 15000. */
  timeout?: number | false;
  /** Retries of a request after its first attempt. 0 or more, default 3; Infinity never gives up. */
  retryCount?: number;
  /** false: trackEvent checks its argument, sends nothing, and resolves with `disabled`. The other calls work. Default true. */
  enable?: boolean;
  /** Events in one request, at most. 1 to 1000, default 1000. */
  maxBatchSize?: number;
  /** Events that may wait in memory. When there are so many, new ones are refused with a QueueFullError. Default 100000. */
  maxQueueSize?: number;
  /** Bodies of more than so many bytes are sent compressed (gzip); Infinity for never. Default 4096. */
  gzipMinBytes?: number;
  /**
   * How numbers of answers are given: "number" (default) as JavaScript numbers, which hold 15 digits; "string" as the exact
   * text the server sent, for all numbers.
   */
  decimals?: D;
  /**
   * Called for every write that failed (trackEvent and the three calls that create or cancel), awaited or not; with the
   * event if it was one. Without it, a failure that nobody waits for is shown as a process warning.
   */
  onError?: (error: LotusError, event: WireEvent | null) => void;
  /** The fetch function to send with. Default: the global one at the moment of the request. */
  fetch?: FetchLike;
  /** Replaces the network altogether, for tests. Excludes `fetch`. */
  transport?: Transport;
  /** Replaces time and chance, for tests. */
  runtime?: Partial<Runtime>;
}

/** The options after defaults and checks. */
export interface Settings {
  endpoint: Endpoint;
  batch: BatchLimits;
  maxQueueSize: number;
  timeoutMs: number | null;
  callRetry: RetryPolicy;
  eventRetry: RetryPolicy;
  isEnabled: boolean;
  gzipMinBytes: number;
  decimals: DecimalForm;
  onError: NonNullable<LotusOptions["onError"]> | null;
  transport: Transport;
  runtime: Runtime;
}

const CLOUD_HOST = "https://api.uselotus.io/";
const BATCH_SIZE_MAX = 1000;
/** The server takes 10 MB; what is above half of that is rather sent in two requests. */
const BATCH_BYTES_MAX = 5_000_000;
/** The longest delay a timer of Node can count. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Applies the defaults. Throws a ValidationError that lists everything that is wrong. */
export function settingsOf(
  apiKey: string | undefined,
  options: LotusOptions<DecimalForm>,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const problems: ValidationProblem[] = [];
  const report = (field: string, detail: string) =>
    void problems.push({ field, code: "invalid", detail: `${field} ${detail}` });
  const numberOf = (name: keyof typeof NUMBERS & keyof LotusOptions, max: number): number => {
    const { fallback, min } = NUMBERS[name];
    const value = options[name] ?? Math.min(fallback, max);
    const isRight =
      typeof value === "number" && value >= min && value <= max && (value === Infinity || Number.isInteger(value));
    if (!isRight) report(name, `must be a whole number from ${min} to ${max}`);
    return value as number;
  };
  const key = (apiKey ?? environment.LOTUS_API_KEY ?? "").toString().trim();
  if (!/^[\x21-\x7e]+$/.test(key))
    report("apiKey", "must be given, as first argument or in LOTUS_API_KEY, as printable ASCII");
  const host = options.host ?? (environment.LOTUS_HOST || CLOUD_HOST);
  if (!isHttpUrl(host)) report("host", "must be an http or https address without query");
  const maxQueueSize = numberOf("maxQueueSize", Number.MAX_SAFE_INTEGER);
  const batch: BatchLimits = {
    flushAt: numberOf("flushAt", maxQueueSize),
    flushIntervalMs: numberOf("flushInterval", TIMER_MS_MAX),
    maxBatchSize: numberOf("maxBatchSize", BATCH_SIZE_MAX),
    maxBatchBytes: BATCH_BYTES_MAX,
  };
  const retryCount = numberOf("retryCount", Infinity);
  const gzipMinBytes = numberOf("gzipMinBytes", Infinity);
  const timeoutMs = options.timeout === false ? null : numberOf("timeout", TIMER_MS_MAX);
  const decimals = options.decimals ?? "number";
  if (decimals !== "number" && decimals !== "string") report("decimals", 'must be "number" or "string"');
  if (options.fetch !== undefined && options.transport !== undefined) report("transport", "excludes fetch");
  if (problems.length > 0) throw new ValidationError(problems);
  return {
    endpoint: { apiKey: key, host: host.replace(/\/+$/, "") },
    batch,
    maxQueueSize,
    timeoutMs,
    callRetry: { retryCount, delayBaseMs: 500, delayMaxMs: 30_000, retryAfterMaxMs: 60_000 },
    // Nobody waits at a screen for an event, so a server that asks for a long pause gets it.
    eventRetry: { retryCount, delayBaseMs: 500, delayMaxMs: 30_000, retryAfterMaxMs: 3_600_000 },
    isEnabled: options.enable ?? true,
    gzipMinBytes,
    decimals,
    onError: options.onError ?? null,
    transport: options.transport ?? fetchTransport(options.fetch),
    runtime: runtimeWith(options.runtime ?? {}),
  };
}

const NUMBERS = {
  flushAt: { fallback: 20, min: 1 },
  flushInterval: { fallback: 10_000, min: 0 },
  timeout: { fallback: 15_000, min: 1 },
  retryCount: { fallback: 3, min: 0 },
  maxBatchSize: { fallback: BATCH_SIZE_MAX, min: 1 },
  maxQueueSize: { fallback: 100_000, min: 1 },
  gzipMinBytes: { fallback: 4096, min: 0 },
} as const;

function isHttpUrl(text: unknown): text is string {
  if (typeof text !== "string" || !/^https?:\/\/[^?#]+$/i.test(text)) return false;
  try {
    return new URL(text).host !== "";
  } catch {
    return false;
  }
}
