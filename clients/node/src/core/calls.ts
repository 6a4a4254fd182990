import { ValidationError, type ValidationProblem } from "../errors.js";
import { problemsOf, type Rules } from "./check.js";
import { type Fields, fieldsOf } from "./fields.js";
import { encodeJson } from "./json.js";

/** One call, as it will be sent; made without any I/O. */
export interface Call {
  method: "GET" | "POST";
  /** Below the host, with leading and trailing slash. */
  path: string;
  /** Pairs in order; a list is a repeated name. */
  query: [string, string][];
  /** JSON text, or null for a call without a body. */
  body: string | null;
}

/** Every customer. */
export function getCustomers(): Call {
  return read("/api/customers/", {}, { kinds: {} });
}

/** A new customer. The name is optional for the server when there is an email address. */
export function createCustomer(params: unknown): Call {
  return write("/api/customers/", params, {
    required: ["customer_id"],
    anyOf: [["customer_name", "email"]],
    kinds: {
      customer_id: "text",
      customer_name: "text",
      email: "text",
      currency: "text",
      payment_provider: "text",
      payment_provider_id: "text",
      properties: "object",
    },
  });
}

/** What each active subscription of a customer has cost so far. */
export function getCurrentUsage(params: unknown): Call {
  return read("/api/draft_invoice/", params, { required: ["customer_id"], kinds: { customer_id: "text" } });
}

/** Every plan. */
export function getPlans(): Call {
  return read("/api/plans/", {}, { kinds: {} });
}

/** Every subscription, or those that match the filters. */
export function getSubscriptions(filters: unknown): Call {
  return read("/api/subscriptions/", filters, { kinds: { customer_id: "text", plan_id: "text", status: "texts" } });
}

/** A new subscription. */
export function createSubscription(params: unknown): Call {
  return write("/api/subscriptions/", params, {
    required: ["customer_id", "start_date"],
    exactlyOneOf: [["billing_plan_id", "plan_id", "version_id"]],
    kinds: {
      customer_id: "text",
      billing_plan_id: "text",
      plan_id: "text",
      version_id: "text",
      start_date: "instant",
      end_date: "instant",
      subscription_id: "text",
      auto_renew: "flag",
      is_new: "flag",
      metadata: "object",
    },
  });
}

/** The end of a subscription. Only what the caller gave is sent: the defaults are the server's. */
export function cancelSubscription(params: unknown): Call {
  return write("/api/cancel_subscription/", params, {
    required: ["subscription_id"],
    kinds: { subscription_id: "text", bill_now: "flag", revoke_access: "flag" },
  });
}

/** May this customer use the feature, or send the event? */
export function getCustomerAccess(params: unknown): Call {
  return read("/api/customer_access/", params, {
    required: ["customer_id"],
    exactlyOneOf: [["event_name", "feature_name"]],
    kinds: { customer_id: "text", event_name: "text", feature_name: "text", event_limit_type: "text" },
    choices: { event_limit_type: ["free", "total"] },
  });
}

/** What a customer used of a metric. */
export function getUsage(params: unknown): Call {
  const { query, ...call } = read("", params, {
    required: ["customer_id", "metric_id"],
    kinds: {
      customer_id: "text",
      metric_id: "text",
      start: "instant",
      end: "instant",
      window: "text",
      group_by: "texts",
      fill: "flag",
    },
    choices: { window: ["hour", "day", "week", "month"] },
  });
  const customerId = new Map(query).get("customer_id") ?? "";
  const path = `/api/customers/${encodeURIComponent(customerId)}/usage/`;
  return { ...call, path, query: query.filter(([name]) => name !== "customer_id") };
}

/** Events taken back. */
export function voidEvents(params: unknown): Call {
  return write("/api/events/void/", params, {
    required: ["idempotency_ids", "reason"],
    kinds: { idempotency_ids: "textList", reason: "text" },
  });
}

/** Another content for an event. */
export function amendEvent(params: unknown): Call {
  return write("/api/events/amend/", params, {
    required: ["idempotency_id", "reason"],
    anyOf: [["properties", "time_created", "customer_id"]],
    kinds: {
      idempotency_id: "text",
      properties: "object",
      time_created: "instant",
      customer_id: "text",
      reason: "text",
    },
  });
}

/** Which events never came. */
export function verifyEventsReceived(params: unknown): Call {
  return write("/api/verify_idems_received/", params, {
    required: ["idempotency_ids"],
    kinds: { idempotency_ids: "textList", customer_id: "text" },
  });
}

/** Events with a verdict for each. */
export function track(body: string): Call {
  return { method: "POST", path: "/api/track/", query: [["verbose", "true"]], body };
}

function read(path: string, params: unknown, rules: Rules): Call {
  const fields = fieldsOf(params);
  refuse(problemsOf(fields, rules));
  const query: [string, string][] = [];
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value])
      query.push([name, one instanceof Date ? one.toISOString() : String(one)]);
  }
  return { method: "GET", path, query, body: null };
}

function write(path: string, params: unknown, rules: Rules): Call {
  const fields: Fields = fieldsOf(params);
  const problems = problemsOf(fields, rules);
  const encoded = encodeJson(fields);
  refuse(encoded.text === null ? merge(problems, encoded.problems) : problems);
  return { method: "POST", path, query: [], body: encoded.text };
}

/** A field that breaks its rule and cannot be encoded either is reported once. */
function merge(problems: ValidationProblem[], more: ValidationProblem[]): ValidationProblem[] {
  const known = new Set(problems.map((problem) => problem.field));
  return [...problems, ...more.filter((problem) => problem.field === undefined || !known.has(problem.field))];
}

function refuse(problems: readonly ValidationProblem[]): void {
  if (problems.length > 0) throw new ValidationError(problems);
}
