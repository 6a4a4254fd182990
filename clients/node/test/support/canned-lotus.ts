import { acceptAll, type Handler } from "./lab-server.js";

const CUSTOMER = { customer_id: "c", customer_name: "Ada", balance: 0 };
const PLAN = { billing_plan_id: "p", name: "Plan", description: "", currency: "USD", interval: "month", flat_rate: 30 };
const SUBSCRIPTION = { subscription_id: "s", customer: CUSTOMER, billing_plan: PLAN, status: "active" };
const USAGE = {
  cost_due: 61.4,
  cost_due_currency: "USD",
  line_items: { components: {}, usage_revenue_due: 31.4, flat_revenue_due: 30, total_revenue_due: 61.4 },
  customer: CUSTOMER,
  subscription: SUBSCRIPTION,
};

const ANSWERS: Record<string, unknown> = {
  "GET /api/customers/": [CUSTOMER],
  "POST /api/customers/": CUSTOMER,
  "GET /api/draft_invoice/": [USAGE],
  "GET /api/plans/": [PLAN],
  "GET /api/subscriptions/": [SUBSCRIPTION],
  "POST /api/subscriptions/": SUBSCRIPTION,
  "POST /api/cancel_subscription/": { status: "success", detail: "ended", invoice_id: "i" },
  "POST /api/events/void/": { corrected: 1, results: [{ idempotency_id: "e", status: "done" }] },
  "POST /api/events/amend/": { corrected: 1, results: [{ idempotency_id: "e", status: "done" }] },
  "POST /api/verify_idems_received/": { status: "success", ids_not_found: [] },
  "GET /api/customer_access/": { access: false, usages: [], reason: "no units left" },
};

const USAGE_ROW = { window_start: "2026-01-01T00:00:00Z", window_end: "2026-01-02T00:00:00Z", group: null, value: 3.5 };

/** Answers of the right shape for each call, with no memory and no judgement. */
export const cannedLotus: Handler = (request, index) => {
  if (request.path === "/api/track/") return acceptAll(request, index);
  if (request.query.get("customer_id") === "nobody") {
    return { status: 404, body: { title: "customer_not_found", detail: "there is no such customer", status: 404 } };
  }
  if (/^\/api\/customers\/[^/]+\/usage\/$/.test(request.path)) return { status: 200, body: [USAGE_ROW] };
  const body = ANSWERS[`${request.method} ${request.path}`];
  if (body === undefined) return { status: 404, body: { title: "not_found", detail: request.path, status: 404 } };
  return { status: request.method === "POST" ? 201 : 200, body };
};
