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
  AmendEventParams,
  CancelSubscriptionParams,
  CreateCustomerParams,
  CreateSubscriptionParams,
  GetCurrentUsageParams,
  GetCustomerAccessParams,
  GetSubscriptionsParams,
  GetUsageParams,
  Instant,
  SubscriptionStatus,
  TrackEventParams,
  VerifyEventsReceivedParams,
  VoidEventsParams,
} from "./params.js";
export type {
  Cancellation,
  Corrections,
  Currency,
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
  UsageComponent,
  UsageRow,
} from "./results.js";
export { VERSION } from "./version.js";
