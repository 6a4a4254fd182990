import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ApiError, EventConflictError, EventRejectedError, Lotus } from "../../src/index.js";
import { makePlan, realClient, today } from "../support/real-server.js";

// One story against a real server; each test builds on those before it.
const { lotus, host, apiKey, named } = realClient();
const customer_id = named("customer");
const billing_plan_id = named("billing_plan_5");
const subscription_id = named("subscription");
const event_name = named("api_call");
const feature_name = named("single_sign_on");

const withStatus = (status: number) => (error: unknown) => {
  assert.ok(error instanceof ApiError, String(error));
  assert.equal(error.status, status);
  assert.doesNotMatch(error.code, /^http_/, "the answer is not a problem document");
  return true;
};
const track = (count: number, idPrefix: string, customer = customer_id) => {
  const ids = Array.from({ length: count }, (_, n) => named(`${idPrefix}-${n}`));
  return ids.map((idempotency_id) => lotus.trackEvent({ event_name, customer_id: customer, idempotency_id }));
};
const usageQuantity = async (customer: string) => {
  const [usage] = await lotus.getCurrentUsage({ customer_id: customer });
  return usage?.line_items.components[named("calls")]?.usage_qty;
};

before(() => makePlan({ named }));

test("a wrong key is an ApiError with status 401", async () => {
  await assert.rejects(new Lotus("wrong.key", { host }).getCustomers(), withStatus(401));
});

test("a customer is created, and listed", async () => {
  const created = await lotus.createCustomer({ customer_id, customer_name: "Ada", payment_provider_id: named("cus") });
  assert.equal(created.customer_id, customer_id);
  assert.equal(created.customer_name, "Ada");
  const listed = (await lotus.getCustomers()).find((one) => one.customer_id === customer_id);
  assert.equal(listed?.balance, 0);
  assert.equal(listed?.payment_provider_id, named("cus"));
});

test("a customer_id is taken once", async () => {
  await assert.rejects(lotus.createCustomer({ customer_id, customer_name: "Grace" }), withStatus(409));
});

test("a repeated idempotency key gives the first answer", async () => {
  const params = { customer_id: named("once"), customer_name: "Once" };
  const options = { idempotencyKey: named("key") };
  const first = await lotus.createCustomer(params, options);
  assert.deepEqual(await lotus.createCustomer(params, options), first);
});

test("an unknown currency is a validation error of the server", async () => {
  const params = { customer_id: named("other"), customer_name: "Other", currency: "XXY" };
  await assert.rejects(lotus.createCustomer(params), (error) => {
    withStatus(400)(error);
    assert.ok(error instanceof ApiError);
    assert.equal(error.validationErrors[0]?.field, "currency");
    assert.ok(error.requestId);
    return true;
  });
});

test("the plan is listed", async () => {
  const plan = (await lotus.getPlans()).find((one) => one.billing_plan_id === billing_plan_id);
  assert.equal(plan?.name, named("Plan five"));
  assert.equal(plan?.currency, "USD");
  assert.deepEqual(
    plan?.features.map((feature) => feature.feature_name),
    [feature_name],
  );
});

test("without a subscription there is no usage and no access", async () => {
  assert.deepEqual(await lotus.getCurrentUsage({ customerId: customer_id }), []);
  const answer = await lotus.getCustomerAccess({ customer_id, event_name });
  assert.equal(answer.access, false);
  assert.ok(answer.reason);
});

test("a subscription is created, and listed", async () => {
  const created = await lotus.createSubscription({
    customer_id,
    billing_plan_id,
    start_date: today(),
    subscription_id,
    auto_renew: false,
  });
  assert.equal(created.subscription_id, subscription_id);
  const listed = (await lotus.getSubscriptions()).find((one) => one.subscription_id === subscription_id);
  assert.equal(listed?.status, "active");
  assert.equal(listed?.start_date, today());
  assert.equal(listed?.auto_renew, false);
  assert.equal(listed?.customer.customer_id, customer_id);
});

test("subscriptions are filtered", async () => {
  const active = await lotus.getSubscriptions({ customerId: customer_id, status: ["active"] });
  assert.deepEqual(
    active.map((one) => one.subscription_id),
    [subscription_id],
  );
  assert.deepEqual(await lotus.getSubscriptions({ customer_id, status: "ended" }), []);
});

test("the same plan cannot be subscribed twice at the same time", async () => {
  const params = { customer_id, billing_plan_id, start_date: today() };
  await assert.rejects(lotus.createSubscription(params), withStatus(400));
});

test("there are free units before the first event", async () => {
  const params = { customer_id, event_name, event_limit_type: "free" } as const;
  assert.equal((await lotus.getCustomerAccess(params)).access, true);
});

test("each event has its verdict", async () => {
  const time_created = new Date();
  const once = { event_name, customer_id, idempotency_id: named("one"), time_created, properties: { size: 1 } };
  const send = async (event: Parameters<Lotus["trackEvent"]>[0]) => {
    const promise = lotus.trackEvent(event);
    await lotus.flush();
    return promise;
  };
  assert.equal((await send(once)).status, "accepted");
  assert.equal((await send(once)).status, "duplicate");
  await assert.rejects(send({ ...once, properties: { size: 2 } }), EventConflictError);
  const inTwoDays = new Date(Date.now() + 2 * 86_400_000);
  const ahead = { event_name, customer_id, idempotency_id: named("ahead"), time_created: inTwoDays };
  await assert.rejects(send(ahead), (error) => error instanceof EventRejectedError && error.reason !== "");
});

test("what was acknowledged is in the usage at once, and exact", async () => {
  await Promise.all([...track(24, "more"), lotus.flush()]);
  assert.equal(await usageQuantity(customer_id), 25);
  const exact = new Lotus(apiKey, { host, decimals: "string" });
  const [usage] = await exact.getCurrentUsage({ customer_id });
  assert.match(usage?.cost_due ?? "", /^1\.50?$/); // (25 - 10 free) x 0.10
  assert.equal(usage?.cost_due_currency, "USD");
  assert.equal(usage?.subscription.subscription_id, subscription_id);
  assert.equal(usage?.customer.customer_id, customer_id);
});

test("the free units are used up, the limit is not", async () => {
  assert.equal((await lotus.getCustomerAccess({ customer_id, event_name, event_limit_type: "free" })).access, false);
  const total = await lotus.getCustomerAccess({ customer_id, event_name, event_limit_type: "total" });
  assert.equal(total.access, true);
  assert.deepEqual(total.usages?.[0]?.metric_usage, 25);
  assert.deepEqual(total.usages?.[0]?.metric_limit, 100);
});

test("at its limit the customer has no access", async () => {
  await Promise.all([...track(75, "rest"), lotus.flush()]);
  assert.equal((await lotus.getCustomerAccess({ customer_id, event_name })).access, false);
});

test("features of the plan are granted, others are not", async () => {
  assert.equal((await lotus.getCustomerAccess({ customerId: customer_id, featureName: feature_name })).access, true);
});

test("an unknown customer is not found", async () => {
  await assert.rejects(lotus.getCustomerAccess({ customer_id: named("nobody"), feature_name }), withStatus(404));
  await assert.rejects(lotus.getCurrentUsage({ customer_id: named("nobody") }), withStatus(404));
});

test("events of a customer who does not exist yet count later", async () => {
  const early = named("early");
  await Promise.all([...track(3, "early", early), lotus.flush()]);
  await lotus.createCustomer({ customerId: early, customerName: "Early" });
  await lotus.createSubscription({ customerId: early, billingPlanId: billing_plan_id, startDate: today() });
  assert.equal(await usageQuantity(early), 3);
});

test("thousands of events arrive in batches, each counted once", async () => {
  const many = named("many");
  await lotus.createCustomer({ customer_id: many, customer_name: "Many" });
  await lotus.createSubscription({ customer_id: many, plan_id: billing_plan_id, start_date: today() });
  const sender = new Lotus(apiKey, { host });
  for (let repeat = 0; repeat < 2; repeat++) {
    for (let n = 0; n < 2500; n++) {
      sender.trackEvent({ event_name, customer_id: many, idempotency_id: named(`many-${n}`), time_created: today() });
    }
  }
  const report = await sender.shutdown();
  assert.deepEqual(report, { accepted: 2500, duplicates: 2500, failed: 0 });
  assert.equal(await usageQuantity(many), 2500);
});

test("to bill now and keep access is refused, and changes nothing", async () => {
  const params = { subscription_id, bill_now: true, revoke_access: false };
  await assert.rejects(lotus.cancelSubscription(params), withStatus(400));
  assert.equal((await lotus.getSubscriptions({ customer_id, status: "active" })).length, 1);
});

test("a cancelled subscription ends once", async () => {
  const cancelled = await lotus.cancelSubscription({
    subscriptionId: subscription_id,
    billNow: true,
    revokeAccess: true,
  });
  assert.equal(cancelled.status, "success");
  assert.ok(cancelled.invoice_id);
  assert.equal((await lotus.getCustomerAccess({ customer_id, feature_name })).access, false);
  await assert.rejects(lotus.cancelSubscription({ subscription_id }), withStatus(400));
});
