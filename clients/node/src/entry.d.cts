// The types of entry.cjs. Kept by hand, because TypeScript cannot declare "the class, and all exports on it" from a module;
// a test compares this list with index.ts.
import * as library from "./index.js";

declare class Lotus<D extends library.DecimalForm = "number"> extends library.Lotus<D> {}

declare namespace Lotus {
  export import ApiError = library.ApiError;
  export import ApiErrorFields = library.ApiErrorFields;
  export import CallOptions = library.CallOptions;
  export import Callback = library.Callback;
  export import CancelSubscriptionParams = library.CancelSubscriptionParams;
  export import Cancellation = library.Cancellation;
  export import ClosedError = library.ClosedError;
  export import ConnectionError = library.ConnectionError;
  export import CreateCustomerParams = library.CreateCustomerParams;
  export import CreateSubscriptionParams = library.CreateSubscriptionParams;
  export import Currency = library.Currency;
  export import CurrentUsage = library.CurrentUsage;
  export import Customer = library.Customer;
  export import CustomerAccess = library.CustomerAccess;
  export import DecimalForm = library.DecimalForm;
  export import DecimalOf = library.DecimalOf;
  export import EventConflictError = library.EventConflictError;
  export import EventError = library.EventError;
  export import EventRejectedError = library.EventRejectedError;
  export import EventVerdict = library.EventVerdict;
  export import FetchLike = library.FetchLike;
  export import FetchLikeResponse = library.FetchLikeResponse;
  export import FlushReport = library.FlushReport;
  export import GetCurrentUsageParams = library.GetCurrentUsageParams;
  export import GetCustomerAccessParams = library.GetCustomerAccessParams;
  export import GetSubscriptionsParams = library.GetSubscriptionsParams;
  export import Instant = library.Instant;
  export import InvalidReplyError = library.InvalidReplyError;
  export import LotusError = library.LotusError;
  export import LotusOptions = library.LotusOptions;
  export import Plan = library.Plan;
  export import QueueFullError = library.QueueFullError;
  export import Runtime = library.Runtime;
  export import Stats = library.Stats;
  export import Subscription = library.Subscription;
  export import SubscriptionStatus = library.SubscriptionStatus;
  export import TimeoutError = library.TimeoutError;
  export import TrackEventParams = library.TrackEventParams;
  export import Transport = library.Transport;
  export import TransportRequest = library.TransportRequest;
  export import TransportResponse = library.TransportResponse;
  export import UsageComponent = library.UsageComponent;
  export import VERSION = library.VERSION;
  export import ValidationError = library.ValidationError;
  export import ValidationProblem = library.ValidationProblem;
  export import WireEvent = library.WireEvent;
  export import fetchTransport = library.fetchTransport;
  export import systemRuntime = library.systemRuntime;
  export { Lotus, Lotus as default };
}

export = Lotus;
