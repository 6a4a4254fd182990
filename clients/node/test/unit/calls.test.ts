import assert from "node:assert/strict";
import { test } from "node:test";
import * as calls from "../../src/core/calls.js";
import { toSnakeCase } from "../../src/core/fields.js";
import { ValidationError } from "../../src/index.js";

const body = (call: calls.Call) => JSON.parse(call.body ?? "null");
const query = (call: calls.Call) => new URLSearchParams(call.query).toString();
const problems = (make: () => calls.Call): unknown[] => {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof ValidationError);
    return error.validationErrors.map((problem) => `${problem.field} ${problem.code}`);
  }
  return [];
};

test("names become snake_case", () => {
  assert.deepEqual(["customerId", "customerID", "bill_now", "startDate", "a"].map(toSnakeCase), [
    "customer_id",
    "customer_id",
    "bill_now",
    "start_date",
    "a",
  ]);
});

test("createCustomer sends what was given, under wire names, without nulls", () => {
  const call = calls.createCustomer({
    customerId: "c",
    customer_name: "Ada",
    currency: undefined,
    email: null,
    paymentProviderId: "cus_1",
    taxRate: 0,
    properties: { keepCase: 1 },
  });
  assert.deepEqual(body(call), {
    customer_id: "c",
    customer_name: "Ada",
    payment_provider_id: "cus_1",
    tax_rate: 0,
    properties: { keepCase: 1 },
  });
});

test("snake_case wins over camelCase in either order", () => {
  const name = { customer_name: "n" };
  assert.equal(body(calls.createCustomer({ customer_id: "snake", customerId: "camel", ...name })).customer_id, "snake");
  assert.equal(body(calls.createCustomer({ customerId: "camel", customer_id: "snake", ...name })).customer_id, "snake");
});

test("createCustomer needs an id, and a name or an email address", () => {
  assert.deepEqual(
    problems(() => calls.createCustomer({})),
    ["customer_id required", "customer_name required"],
  );
  assert.deepEqual(
    problems(() => calls.createCustomer({ customer_id: "c", email: "a@b.c" })),
    [],
  );
});

test("createSubscription can send false and dates", () => {
  const call = calls.createSubscription({
    customerId: "c",
    billingPlanId: "p",
    startDate: new Date(Date.UTC(2022, 1, 23)),
    end_date: "2022-03-22",
    autoRenew: false,
    is_new: false,
  });
  assert.deepEqual(body(call), {
    customer_id: "c",
    billing_plan_id: "p",
    start_date: "2022-02-23T00:00:00.000Z",
    end_date: "2022-03-22",
    auto_renew: false,
    is_new: false,
  });
});

test("createSubscription needs exactly one kind of plan id", () => {
  assert.deepEqual(
    problems(() => calls.createSubscription({})),
    ["customer_id required", "start_date required", "billing_plan_id required"],
  );
  const both = { customer_id: "c", start_date: "2022-02-23", plan_id: "p", version_id: "v" };
  assert.deepEqual(
    problems(() => calls.createSubscription(both)),
    ["billing_plan_id conflicting"],
  );
});

test("a bad date is reported once", () => {
  const params = { customer_id: "c", plan_id: "p", start_date: new Date(Number.NaN) };
  assert.deepEqual(
    problems(() => calls.createSubscription(params)),
    ["start_date invalid"],
  );
});

test("cancelSubscription sends only what was given, false included", () => {
  assert.deepEqual(body(calls.cancelSubscription({ subscription_id: "s" })), { subscription_id: "s" });
  assert.deepEqual(body(calls.cancelSubscription({ subscriptionId: "s", billNow: false, revokeAccess: false })), {
    subscription_id: "s",
    bill_now: false,
    revoke_access: false,
  });
  assert.deepEqual(
    problems(() => calls.cancelSubscription({ bill_now: "yes" })),
    ["subscription_id required", "bill_now invalid"],
  );
});

test("getCustomerAccess asks about a feature or an event", () => {
  assert.equal(query(calls.getCustomerAccess({ customerId: "c", featureName: "f" })), "customer_id=c&feature_name=f");
  assert.equal(
    query(calls.getCustomerAccess({ customer_id: "c d", event_name: "e", event_limit_type: "free" })),
    "customer_id=c+d&event_name=e&event_limit_type=free",
  );
  assert.deepEqual(
    problems(() => calls.getCustomerAccess({})),
    ["customer_id required", "event_name required"],
  );
  assert.deepEqual(
    problems(() =>
      calls.getCustomerAccess({ customer_id: "c", event_name: "e", feature_name: "f", event_limit_type: "x" }),
    ),
    ["event_name conflicting", "event_limit_type invalid_choice"],
  );
});

test("lists of values are repeated names", () => {
  assert.equal(
    query(calls.getSubscriptions({ customer_id: "c", status: ["active", "ended"] })),
    "customer_id=c&status=active&status=ended",
  );
  assert.equal(query(calls.getSubscriptions(undefined)), "");
  assert.deepEqual(
    problems(() => calls.getSubscriptions({ status: [1] })),
    ["status invalid"],
  );
});

test("getCurrentUsage needs a customer", () => {
  assert.deepEqual(
    problems(() => calls.getCurrentUsage(null)),
    ["customer_id required"],
  );
});

test("getUsage names the customer in the path and the rest in the query", () => {
  const call = calls.getUsage({
    customerId: "a/b c",
    metric_id: "m",
    start: new Date(0),
    window: "day",
    groupBy: ["model", "region"],
    fill: true,
  });
  assert.equal(call.path, "/api/customers/a%2Fb%20c/usage/");
  assert.equal(
    query(call),
    "metric_id=m&start=1970-01-01T00%3A00%3A00.000Z&window=day&group_by=model&group_by=region&fill=true",
  );
  assert.deepEqual(
    problems(() => calls.getUsage({ window: "minute" })),
    ["customer_id required", "metric_id required", "window invalid_choice"],
  );
});

test("corrections need a reason, and something to correct", () => {
  assert.deepEqual(body(calls.voidEvents({ idempotencyIds: ["a", "b"], reason: "r" })), {
    idempotency_ids: ["a", "b"],
    reason: "r",
  });
  assert.deepEqual(body(calls.amendEvent({ idempotency_id: "a", properties: { keepCase: 1n }, reason: "r" })), {
    idempotency_id: "a",
    properties: { keepCase: "1" },
    reason: "r",
  });
  assert.deepEqual(
    problems(() => calls.voidEvents({ idempotency_ids: "a" })),
    ["reason required", "idempotency_ids invalid"],
  );
  assert.deepEqual(
    problems(() => calls.amendEvent({ idempotency_id: "a" })),
    ["reason required", "properties required"],
  );
});

test("verifyEventsReceived asks about a list of ids", () => {
  const call = calls.verifyEventsReceived({ idempotency_ids: ["a"], numberDaysLookback: 3 });
  assert.equal(call.path, "/api/verify_idems_received/");
  assert.deepEqual(body(call), { idempotency_ids: ["a"], number_days_lookback: 3 });
  assert.deepEqual(
    problems(() => calls.verifyEventsReceived({})),
    ["idempotency_ids required"],
  );
});
