export type { Callback, CallOptions } from "./arguments.js";
export type { DecimalForm } from "./core/reply.js";
export type { ApiErrorFields, ValidationProblem, WireEvent } from "./errors.js";
export {
  ApiError,
  ClosedError,
  ConnectionError,
  EventConflictError,
  EventError,
  EventRejectedError,
  InvalidReplyError,
  LotusError,
  QueueFullError,
  TimeoutError,
  ValidationError,
} from "./errors.js";
export type { Runtime } from "./io/runtime.js";
export { systemRuntime } from "./io/runtime.js";
export type { FetchLike, FetchLikeResponse, Transport, TransportRequest, TransportResponse } from "./io/transport.js";
export { fetchTransport } from "./io/transport.js";
export { Lotus } from "./lotus.js";
export type { LotusOptions } from "./options.js";
export type {
  CancelSubscriptionParams,
  CreateCustomerParams,
  CreateSubscriptionParams,
  GetCurrentUsageParams,
  GetCustomerAccessParams,
  GetSubscriptionsParams,
  Instant,
  SubscriptionStatus,
  TrackEventParams,
} from "./params.js";
export type {
  Cancellation,
  Currency,
  CurrentUsage,
  Customer,
  CustomerAccess,
  DecimalOf,
  EventVerdict,
  FlushReport,
  Plan,
  Stats,
  Subscription,
  UsageComponent,
} from "./results.js";
export { VERSION } from "./version.js";
