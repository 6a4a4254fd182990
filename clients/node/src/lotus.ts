import { type Callback, type CallOptions, callBack, type Rest, readRest } from "./arguments.js";
import * as calls from "./core/calls.js";
import { decodeEvent, type EncodedEvent, encodeEvent } from "./core/event.js";
import { type DecimalForm, readValue } from "./core/reply.js";
import { requestOf } from "./core/request.js";
import type { Verdict } from "./core/verdicts.js";
import { ClosedError, EventError, LotusError, QueueFullError, type WireEvent } from "./errors.js";
import { IgnorablePromise } from "./ignorable.js";
import { deliverTo } from "./io/delivery.js";
import { EventQueue } from "./io/event-queue.js";
import { Sender } from "./io/sender.js";
import { type LotusOptions, type Settings, settingsOf } from "./options.js";
import type {
  AmendEventParams,
  CancelSubscriptionParams,
  CreateCustomerParams,
  CreateSubscriptionParams,
  GetCurrentUsageParams,
  GetCustomerAccessParams,
  GetSubscriptionsParams,
  GetUsageParams,
  TrackEventParams,
  VerifyEventsReceivedParams,
  VoidEventsParams,
} from "./params.js";
import type {
  Cancellation,
  Corrections,
  CurrentUsage,
  Customer,
  CustomerAccess,
  DecimalOf,
  EventVerdict,
  FlushReport,
  Plan,
  ReceivedEvents,
  Stats,
  Subscription,
  UsageRow,
} from "./results.js";

/**
 * A client of one organization. Make one per process and share it: it holds the queue of events.
 *
 * Calls return promises; a callback as last argument works too. Failures are LotusErrors. Calls that write may be left
 * unawaited: their failure then goes to `onError`, or is shown as a process warning, and never ends the process.
 */
export class Lotus<D extends DecimalForm = "number"> {
  private readonly settings: Settings;
  private readonly sender: Sender;
  private readonly queue: EventQueue;
  private readonly counts = { accepted: 0, duplicates: 0, failed: 0, dropped: 0 };
  private readonly warnedCodes = new Set<string>();
  private isClosed = false;

  /**
   * `apiKey` defaults to `LOTUS_API_KEY` of the environment. Throws a ValidationError if it is missing or an option is
   * wrong. Nothing is sent.
   */
  constructor(apiKey?: string, options: LotusOptions<D> = {}) {
    const settings = settingsOf(apiKey, options, process.env);
    const { runtime, endpoint, timeoutMs, eventRetry } = settings;
    this.settings = settings;
    this.sender = new Sender(settings.transport, runtime, settings.gzipMinBytes);
    const patience = { timeoutMs, retry: eventRetry };
    const deliver = deliverTo(this.sender, endpoint, patience, () => runtime.nowMs());
    this.queue = new EventQueue(deliver, settings.batch, runtime);
  }

  /**
   * Queues an event; it is sent in the background, together with others. Resolves when the server has stored it
   * (`accepted`) or had stored it before (`duplicate`, not counted again). Rejects with an EventRejectedError or
   * EventConflictError if the server refuses it, a QueueFullError if the queue is full, a ConnectionError or ApiError when
   * all retries failed, a ValidationError if the argument is wrong. The promise may be ignored.
   */
  trackEvent(event: TrackEventParams, callback?: Callback<EventVerdict>): Promise<EventVerdict> {
    let encoded: EncodedEvent | null = null;
    const promise = new IgnorablePromise<EventVerdict>((resolve, reject) => {
      const { runtime } = this.settings;
      const nowMs = runtime.nowMs();
      encoded = encodeEvent(event, { nowMs, newId: runtime.uuid });
      this.enqueue(encoded, nowMs, resolve, reject);
    });
    this.reportFailures(promise, () => encoded);
    if (callback !== undefined) callBack(promise, callback);
    return promise;
  }

  /** Sends every queued event now. Resolves when each event tracked before this call is settled, with what became of them. */
  async flush(): Promise<FlushReport> {
    const before = { ...this.counts };
    await this.queue.flush();
    return {
      accepted: this.counts.accepted - before.accepted,
      duplicates: this.counts.duplicates - before.duplicates,
      failed: this.counts.failed - before.failed,
    };
  }

  /** Takes in no further events (they reject with a ClosedError) and flushes. The other calls go on working. */
  async shutdown(): Promise<FlushReport> {
    this.isClosed = true;
    return this.flush();
  }

  /** What happened since the client was made, and what is in its queue now. A copy. */
  get stats(): Stats {
    const { queuedCount: queued, inFlightCount: inFlight } = this.queue;
    return { queued, inFlight, ...this.counts, ...this.sender.traffic };
  }

  /** Every customer of the organization. */
  getCustomers(...rest: Rest<Customer<DecimalOf<D>>[]>): Promise<Customer<DecimalOf<D>>[]> {
    return this.read(() => calls.getCustomers(), rest);
  }

  /** Creates a customer. Rejects with an ApiError of status 409 if the customer_id is taken. */
  createCustomer(params: CreateCustomerParams, ...rest: Rest<Customer<DecimalOf<D>>>): Promise<Customer<DecimalOf<D>>> {
    return this.write(() => calls.createCustomer(params), rest);
  }

  /** What each active subscription of the customer has cost so far in its current period, one entry per subscription. */
  getCurrentUsage(
    params: GetCurrentUsageParams,
    ...rest: Rest<CurrentUsage<DecimalOf<D>>[]>
  ): Promise<CurrentUsage<DecimalOf<D>>[]> {
    return this.read(() => calls.getCurrentUsage(params), rest);
  }

  /** Every plan of the organization. */
  getPlans(...rest: Rest<Plan<DecimalOf<D>>[]>): Promise<Plan<DecimalOf<D>>[]> {
    return this.read(() => calls.getPlans(), rest);
  }

  /** Every subscription of the organization, whatever its status, or those that match the filters. */
  getSubscriptions(
    filters?: GetSubscriptionsParams | Callback<Subscription<DecimalOf<D>>[]>,
    ...rest: Rest<Subscription<DecimalOf<D>>[]>
  ): Promise<Subscription<DecimalOf<D>>[]> {
    if (typeof filters === "function") return this.read(() => calls.getSubscriptions({}), [filters]);
    return this.read(() => calls.getSubscriptions(filters), rest);
  }

  /** Subscribes a customer to a plan. */
  createSubscription(
    params: CreateSubscriptionParams,
    ...rest: Rest<Subscription<DecimalOf<D>>>
  ): Promise<Subscription<DecimalOf<D>>> {
    return this.write(() => calls.createSubscription(params), rest);
  }

  /** Cancels a subscription. `bill_now` and `revoke_access` are sent only if given; their defaults are the server's. */
  cancelSubscription(params: CancelSubscriptionParams, ...rest: Rest<Cancellation>): Promise<Cancellation> {
    return this.write(() => calls.cancelSubscription(params), rest);
  }

  /** Tells whether the customer may use a feature, or send an event. */
  getCustomerAccess(
    params: GetCustomerAccessParams,
    ...rest: Rest<CustomerAccess<DecimalOf<D>>>
  ): Promise<CustomerAccess<DecimalOf<D>>> {
    return this.read(() => calls.getCustomerAccess(params), rest);
  }

  /** What a customer used of a metric, by windows and groups, up to the last event that was acknowledged. */
  getUsage(params: GetUsageParams, ...rest: Rest<UsageRow<DecimalOf<D>>[]>): Promise<UsageRow<DecimalOf<D>>[]> {
    return this.read(() => calls.getUsage(params), rest);
  }

  /** Takes events back: they count for nothing from now on. Their ids stay taken. Once more changes nothing. */
  voidEvents(params: VoidEventsParams, ...rest: Rest<Corrections<DecimalOf<D>>>): Promise<Corrections<DecimalOf<D>>> {
    return this.write(() => calls.voidEvents(params), rest);
  }

  /** Gives an event other properties, another time or another customer, as if it had come so. Once more changes nothing. */
  amendEvent(params: AmendEventParams, ...rest: Rest<Corrections<DecimalOf<D>>>): Promise<Corrections<DecimalOf<D>>> {
    return this.write(() => calls.amendEvent(params), rest);
  }

  /** Tells which ids no event has. */
  verifyEventsReceived(params: VerifyEventsReceivedParams, ...rest: Rest<ReceivedEvents>): Promise<ReceivedEvents> {
    return this.read(() => calls.verifyEventsReceived(params), rest);
  }

  private enqueue(
    event: EncodedEvent,
    nowMs: number,
    resolve: (verdict: EventVerdict) => void,
    reject: (error: LotusError) => void,
  ): void {
    const { maxQueueSize, isEnabled } = this.settings;
    if (!isEnabled) {
      resolve({ idempotency_id: event.id, status: "disabled" });
      return;
    }
    const isFull = this.queue.queuedCount + this.queue.inFlightCount >= maxQueueSize;
    if (this.isClosed || isFull) {
      this.counts.dropped++;
      const wireEvent = decodeEvent(event);
      reject(this.isClosed ? new ClosedError(wireEvent) : new QueueFullError(wireEvent, maxQueueSize));
      return;
    }
    this.queue.add({
      ...event,
      queuedAtMs: nowMs,
      resolve: (verdict: Verdict) => {
        const status = verdict.status as "accepted" | "duplicate";
        this.counts[status === "accepted" ? "accepted" : "duplicates"]++;
        resolve({ idempotency_id: event.id, status });
      },
      reject: (error) => {
        this.counts.failed++;
        reject(error);
      },
    });
  }

  private read<T>(plan: () => calls.Call, rest: Rest<T>): Promise<T> {
    const { options, callback } = readRest(rest);
    const promise = this.send<T>(plan, options, () => null);
    if (callback !== null) callBack(promise, callback);
    return promise;
  }

  private write<T>(plan: () => calls.Call, rest: Rest<T>): Promise<T> {
    const { options, callback } = readRest(rest);
    const promise = new IgnorablePromise<T>((resolve) => {
      resolve(this.send<T>(plan, options, () => options.idempotencyKey ?? this.settings.runtime.uuid()));
    });
    this.reportFailures(promise, () => null);
    if (callback !== null) callBack(promise, callback);
    return promise;
  }

  private async send<T>(plan: () => calls.Call, options: CallOptions, key: () => string | null): Promise<T> {
    const { endpoint, callRetry, decimals, runtime } = this.settings;
    const request = requestOf(plan(), endpoint, key());
    const timeoutMs = options.timeout === undefined ? this.settings.timeoutMs : options.timeout || null;
    const reply = await this.sender.exchange(request, { timeoutMs, retry: callRetry });
    return readValue(reply, decimals, runtime.nowMs()) as T;
  }

  private reportFailures(promise: IgnorablePromise<unknown>, event: () => EncodedEvent | null): void {
    const { onError } = this.settings;
    promise.onRejection((error, isObserved) => {
      if (!(error instanceof LotusError)) throw error; // A fault of this library: let it be seen.
      if (onError !== null) onError(error, eventOf(error, event()));
      else if (!isObserved) this.warnOnce(error);
    });
  }

  /** One warning for each kind of failure, so that an outage does not fill the log; `stats` has the numbers. */
  private warnOnce(error: LotusError): void {
    if (this.warnedCodes.has(error.code)) return;
    this.warnedCodes.add(error.code);
    const hint = "Further failures of this kind are not shown; pass onError to see them all.";
    process.emitWarning(`${error.message}. ${hint}`, { type: "LotusWarning", code: error.code });
  }
}

function eventOf(error: LotusError, encoded: EncodedEvent | null): WireEvent | null {
  if (error instanceof EventError) return error.event;
  return encoded === null ? null : decodeEvent(encoded);
}
