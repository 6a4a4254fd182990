/** The same fields in camelCase: both spellings are accepted everywhere. */
export type InCamelCase<T> = { [K in keyof T as K extends string ? Camel<K> : K]: T[K] };
type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;

/** Fields in snake_case or in camelCase. */
export type EitherCase<T> = T | InCamelCase<T>;

/** A moment or a day: a Date, or a text such as `2022-02-23` or `2022-02-23T10:00:00Z` (UTC unless it has an offset). */
export type Instant = Date | string;

/** Argument of trackEvent. */
export type TrackEventParams = EitherCase<{
  /** What happened; metrics are defined over this name. */
  event_name: string;
  /** Your id of the customer. An event that comes before its customer counts as soon as the customer exists. */
  customer_id: string;
  /** Identifies this event for ever: the same id is counted once. Default: a new UUID (version 4). */
  idempotency_id?: string | null | undefined;
  /** When it happened. Default: the moment of the call. */
  time_created?: Instant | null | undefined;
  /** Anything that metrics may filter on or add up. Numbers may be strings or BigInts to keep more than 15 digits. */
  properties?: object | null | undefined;
}>;

/** Argument of createCustomer. Other fields that the server knows may be given too. */
export type CreateCustomerParams = EitherCase<{
  /** Your id of the customer, used in all other calls. */
  customer_id: string;
  /** Needed unless there is an email address. */
  customer_name?: string | null | undefined;
  email?: string | null | undefined;
  /** ISO 4217 code in which the customer is billed. Default: the organization's, else USD. */
  currency?: string | null | undefined;
  /** The customer's id at the payment provider. */
  payment_provider_id?: string | null | undefined;
  /** Default: stripe. */
  payment_provider?: string | null | undefined;
  properties?: object | null | undefined;
}>;

/** Argument of getCurrentUsage. */
export type GetCurrentUsageParams = EitherCase<{ customer_id: string }>;

/** Filters of getSubscriptions. */
export type GetSubscriptionsParams = EitherCase<{
  /** Only this customer's. The dates of the answer are then moments, not days. */
  customer_id?: string | null | undefined;
  plan_id?: string | null | undefined;
  /** One status or several. */
  status?: SubscriptionStatus | readonly SubscriptionStatus[] | null | undefined;
}>;

/** Where a subscription is in its life. */
export type SubscriptionStatus = "active" | "ended" | "not_started" | "canceled";

/** Argument of createSubscription: exactly one of billing_plan_id, plan_id, version_id is needed. */
export type CreateSubscriptionParams = EitherCase<{
  customer_id: string;
  billing_plan_id?: string | null | undefined;
  /** The same as billing_plan_id. */
  plan_id?: string | null | undefined;
  /** A certain version of a plan. */
  version_id?: string | null | undefined;
  /** The first day, `YYYY-MM-DD` in UTC, or a moment. */
  start_date: Instant;
  /** The last day, which still belongs to the subscription. Default: what the plan's duration gives (recommended). */
  end_date?: Instant | null | undefined;
  /** Your id of the subscription. Default: the server makes one. Taken already: ApiError of status 409. */
  subscription_id?: string | null | undefined;
  /** false: ends at end_date instead of starting over. */
  auto_renew?: boolean | null | undefined;
  is_new?: boolean | null | undefined;
  /** Count only events with these property values. */
  subscription_filters?: readonly { property_name: string; value: string }[] | null | undefined;
  metadata?: object | null | undefined;
}>;

/** Argument of cancelSubscription. */
export type CancelSubscriptionParams = EitherCase<{
  subscription_id: string;
  /** Whether to bill the usage of the open period now. The server's default is true. */
  bill_now?: boolean | null | undefined;
  /** true: ends at once. false: runs to its end and does not renew. The server's default is the value of bill_now. */
  revoke_access?: boolean | null | undefined;
}>;

/** Argument of getCustomerAccess: exactly one of feature_name and event_name is needed. */
export type GetCustomerAccessParams = EitherCase<{
  customer_id: string;
  feature_name?: string | null | undefined;
  event_name?: string | null | undefined;
  /** With event_name: `free` asks for free units left, `total` for any units left. The server's default is total. */
  event_limit_type?: "free" | "total" | null | undefined;
}>;

/** Argument of getUsage. */
export type GetUsageParams = EitherCase<{
  customer_id: string;
  metric_id: string;
  /** Included. Default: 30 days before the day of the end. */
  start?: Instant | null | undefined;
  /** Not included. Default: now. */
  end?: Instant | null | undefined;
  /** A row for each such window of UTC. Default: one for the whole time. */
  window?: "hour" | "day" | "week" | "month" | null | undefined;
  /** Properties to group by. Default: the metric's own. */
  group_by?: string | readonly string[] | null | undefined;
  /** Also rows where nothing was used. */
  fill?: boolean | null | undefined;
}>;

/** Argument of voidEvents. */
export type VoidEventsParams = EitherCase<{
  idempotency_ids: readonly string[];
  /** Why; it is kept with the events. */
  reason: string;
}>;

/** Argument of amendEvent: at least one of properties, time_created and customer_id is needed. */
export type AmendEventParams = EitherCase<{
  idempotency_id: string;
  /** All properties that the event is to have. */
  properties?: object | null | undefined;
  time_created?: Instant | null | undefined;
  customer_id?: string | null | undefined;
  /** Why; it is kept with the event. */
  reason: string;
}>;

/** Argument of verifyEventsReceived. */
export type VerifyEventsReceivedParams = EitherCase<{
  idempotency_ids: readonly string[];
  /** Only events of this customer. */
  customer_id?: string | null | undefined;
  /** Only events that happened in so many last days. */
  number_days_lookback?: number | null | undefined;
}>;
