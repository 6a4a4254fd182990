import type { DecimalForm } from "./core/reply.js";

/** The type of numbers in answers: number, or string with the option `decimals: "string"`. */
export type DecimalOf<D extends DecimalForm> = D extends "string" ? string : number;

/** What became of an event. `disabled`: nothing was sent, because the client was made with `enable: false`. */
export interface EventVerdict {
  idempotency_id: string;
  status: "accepted" | "duplicate" | "disabled";
}

/** What became of the events that were settled while flush or shutdown ran. */
export interface FlushReport {
  /** Stored. */
  accepted: number;
  /** Stored before, not counted again. */
  duplicates: number;
  /** Not stored, or nobody knows; each one's promise rejected. */
  failed: number;
}

/** Counters of a client since it was made. */
export interface Stats extends FlushReport {
  /** Events waiting to be sent now. */
  queued: number;
  /** Events being sent now. */
  inFlight: number;
  /** Events that were not taken in: the queue was full, or the client shut down. */
  dropped: number;
  /** Requests of all calls, retries included. */
  requests: number;
  /** Requests that repeated a failed one. */
  retries: number;
}

/** A currency. */
export interface Currency {
  /** ISO 4217. */
  code: string;
  name: string;
  symbol: string;
}

/** A customer. */
export interface Customer<N = number> {
  customer_id: string;
  customer_name: string | null;
  /** Credit of the customer, in the customer's currency. */
  balance: N;
  email?: string | null;
  default_currency?: Currency | null;
  payment_provider?: string | null;
  payment_provider_id?: string | null;
  has_payment_method?: boolean;
  total_amount_due?: N;
  properties?: Record<string, unknown> | null;
}

/** A subscription and what it has cost so far in its current period. */
export interface CurrentUsage<N = number> {
  /** In cost_due_currency. Equals the invoice that billing now would issue. */
  cost_due: N;
  /** ISO 4217 code. */
  cost_due_currency: string;
  cust_connected_to_payment_provider: boolean;
  org_connected_to_cust_payment_provider: boolean;
  line_items: {
    /** By the name of the metric. */
    components: Record<string, UsageComponent<N>>;
    usage_revenue_due: N;
    flat_revenue_due: N;
    total_revenue_due: N;
  };
  organization: { company_name: string };
  customer: { customer_name: string | null; customer_id: string };
  subscription: {
    /** First day. */
    start_date: string;
    /** Last day, inclusive. */
    end_date: string;
    billing_plan: {
      name: string;
      description: string | null;
      currency: string;
      interval: string;
      flat_rate: N;
      pay_in_advance: boolean;
      billing_plan_id?: string;
    };
    subscription_id: string;
  };
}

/** One component of a plan in CurrentUsage. */
export interface UsageComponent<N = number> {
  usage_qty: N;
  revenue: N;
  details?: unknown;
}

/** A plan. */
export interface Plan<N = number> {
  billing_plan_id: string;
  name: string;
  description: string | null;
  currency: string;
  interval: string;
  flat_rate: N;
  pay_in_advance: boolean;
  components: Record<string, unknown>[];
  features: { feature_name: string; feature_description?: string | null }[];
  time_created?: string;
  active_subscriptions?: N;
}

/** A subscription. */
export interface Subscription<N = number> {
  subscription_id: string;
  customer: { customer_id: string; customer_name: string | null; balance?: N };
  billing_plan: { billing_plan_id?: string; name?: string } & Record<string, unknown>;
  /** First day, or moment. */
  start_date: string;
  /** Last day, inclusive, or moment. */
  end_date: string;
  status: string;
  auto_renew?: boolean;
  is_new?: boolean;
  metadata?: Record<string, unknown> | null;
}

/** Answer of cancelSubscription. */
export interface Cancellation {
  status: "success";
  detail: string;
  /** The invoice over the open period, if one was issued. */
  invoice_id?: string | null;
}

/** Answer of getCustomerAccess. */
export interface CustomerAccess<N = number> {
  access: boolean;
  /** What it was decided from; empty for features. */
  usages?: {
    metric_name: string;
    metric_usage: N;
    /** null: no limit. */
    metric_limit: N | null;
    access: boolean;
    subscription_id: string;
  }[];
  /** Why access is false. */
  reason?: string | null;
}

/** What one group used in one window: a row of getUsage. */
export interface UsageRow<N = number> {
  window_start: string;
  window_end: string;
  /** The group's values by property; null for a metric without groups. */
  group: Record<string, string | null> | null;
  /** null: there is nothing to take a value from. */
  value: N | null;
  /** How many events the value was made of, and how many more had no usable value. */
  counted?: number;
  skipped?: number;
}

/** Answer of voidEvents and amendEvent. */
export interface Corrections<N = number> {
  corrected: N;
  results: {
    idempotency_id: string;
    /** unchanged: it is exactly so already. unknown: there is no such event. voided: a voided event is not amended. */
    status: "done" | "unchanged" | "unknown" | "voided";
  }[];
}

/** Answer of verifyEventsReceived. */
export interface ReceivedEvents {
  status: "success";
  ids_not_found: string[];
}
