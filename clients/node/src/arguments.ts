/** Options for one call. */
export interface CallOptions {
  /** Milliseconds until an attempt is given up, instead of the client's `timeout`; false for never. */
  timeout?: number | false;
  /**
   * Calls that create or cancel: the key under which the server does this only once. A repeated call with the same key and
   * content gets the first answer. Default: a new UUID per call, kept over its retries.
   */
  idempotencyKey?: string;
}

/** Called once, with an error or with null and the value, as is usual in Node. */
export type Callback<T> = (error: Error | null, value?: T) => void;

/** What may follow the parameters of a call. */
export type Rest<T> = [] | [Callback<T> | undefined] | [CallOptions | undefined, (Callback<T> | undefined)?];

/** Tells the options and the callback apart. */
export function readRest<T>(rest: Rest<T>): { options: CallOptions; callback: Callback<T> | null } {
  const [first, second] = rest;
  if (typeof first === "function") return { options: {}, callback: first };
  return { options: first ?? {}, callback: typeof second === "function" ? second : null };
}

/** Calls the callback when the promise settles. An exception in the callback is uncaught, as in any other callback. */
export function callBack<T>(promise: Promise<T>, callback: Callback<T>): void {
  promise.then(
    (value) => process.nextTick(callback, null, value),
    (error) => process.nextTick(callback, error),
  );
}
