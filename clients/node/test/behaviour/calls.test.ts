import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, InvalidReplyError, Lotus, type LotusError, ValidationError } from "../../src/index.js";
import { settle } from "../support/hand-runtime.js";
import type { Handler } from "../support/lab-server.js";
import { warningsOfType } from "../support/strict-warnings.js";
import { withLab } from "../support/with-lab.js";

const echo: Handler = () => ({ status: 200, body: { ok: true } });
const lotusWarnings = warningsOfType("LotusWarning");

test("each call goes to its address", async () => {
  const { lab, lotus } = await withLab(echo);
  await lotus.getCustomers();
  await lotus.createCustomer({ customer_id: "c", customer_name: "n", currency: "EUR", payment_provider_id: "cus_1" });
  await lotus.getCurrentUsage({ customerId: "c" });
  await lotus.getPlans();
  await lotus.getSubscriptions();
  await lotus.getSubscriptions({ customer_id: "c", status: "active" });
  await lotus.createSubscription({ customerId: "c", billingPlanId: "p", startDate: "2022-02-23", autoRenew: false });
  await lotus.cancelSubscription({ subscription_id: "s", bill_now: false, revoke_access: false });
  await lotus.getCustomerAccess({ customer_id: "c", event_name: "e", event_limit_type: "free" });
  assert.deepEqual(
    lab.received.map(({ method, path, query, json }) => [method, path, query.toString(), json]),
    [
      ["GET", "/api/customers/", "", null],
      [
        "POST",
        "/api/customers/",
        "",
        { customer_id: "c", customer_name: "n", currency: "EUR", payment_provider_id: "cus_1" },
      ],
      ["GET", "/api/draft_invoice/", "customer_id=c", null],
      ["GET", "/api/plans/", "", null],
      ["GET", "/api/subscriptions/", "", null],
      ["GET", "/api/subscriptions/", "customer_id=c&status=active", null],
      [
        "POST",
        "/api/subscriptions/",
        "",
        { customer_id: "c", billing_plan_id: "p", start_date: "2022-02-23", auto_renew: false },
      ],
      ["POST", "/api/cancel_subscription/", "", { subscription_id: "s", bill_now: false, revoke_access: false }],
      ["GET", "/api/customer_access/", "customer_id=c&event_name=e&event_limit_type=free", null],
    ],
  );
});

test("calls that write carry an idempotency key of their own, kept over retries", async () => {
  const { lab, lotus } = await withLab((request, index) => (index < 2 ? { status: 500 } : echo(request, index)));
  await lotus.createCustomer({ customer_id: "a", customer_name: "n" });
  await lotus.cancelSubscription({ subscription_id: "s" });
  await lotus.createSubscription(
    { customer_id: "c", plan_id: "p", start_date: "2022-02-23" },
    { idempotencyKey: "mine" },
  );
  await lotus.getPlans();
  const keys = lab.received.map((request) => request.headers["idempotency-key"]);
  assert.equal(new Set(keys.slice(0, 3)).size, 1);
  assert.ok(keys[0]);
  assert.notEqual(keys[3], keys[0]);
  assert.ok(keys[3]);
  assert.deepEqual(keys.slice(4), ["mine", undefined]);
});

test("a problem document becomes an ApiError", async () => {
  const problem = {
    type: "https://docs.example/errors/invalid_request",
    title: "invalid_request",
    detail: "two fields are wrong",
    status: 400,
    validation_errors: [{ field: "currency", code: "unknown", detail: "XXX is no currency" }],
  };
  const { lotus } = await withLab(() => ({ status: 400, headers: { "x-request-id": "req_7" }, body: problem }));
  await assert.rejects(lotus.createCustomer({ customer_id: "c", customer_name: "n" }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.name, "ApiError");
    assert.equal(error.status, 400);
    assert.equal(error.code, "invalid_request");
    assert.equal(error.detail, "two fields are wrong");
    assert.equal(error.type, problem.type);
    assert.deepEqual(error.validationErrors, problem.validation_errors);
    assert.equal(error.requestId, "req_7");
    assert.deepEqual(error.body, problem);
    assert.equal(error.message, "400 invalid_request: two fields are wrong (request req_7)");
    return true;
  });
});

test("an error that is no problem document is an ApiError too", async () => {
  const { lotus } = await withLab(() => ({ status: 404, body: "<h1>Not here" }));
  await assert.rejects(lotus.getPlans(), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.code, "http_404");
    assert.equal(error.body, "<h1>Not here");
    assert.deepEqual(error.validationErrors, []);
    return true;
  });
});

test("a pause too long to wait for is left to the caller", async () => {
  const { lab, lotus } = await withLab(() => ({ status: 429, headers: { "retry-after": "3600" } }));
  await assert.rejects(lotus.getPlans(), (error) => error instanceof ApiError && error.retryAfterSeconds === 3600);
  assert.equal(lab.received.length, 1);
});

test("a success that is no JSON is an InvalidReplyError", async () => {
  const { lotus } = await withLab(() => ({ status: 200, body: "[1," }));
  await assert.rejects(lotus.getPlans(), InvalidReplyError);
});

test("wrong arguments reject, with all problems, and send nothing", async () => {
  const { lab, lotus } = await withLab(echo);
  // @ts-expect-error: the argument is wrong on purpose
  await assert.rejects(lotus.createSubscription({ auto_renew: "no" }), (error) => {
    assert.ok(error instanceof ValidationError);
    assert.deepEqual(
      error.validationErrors.map((problem) => problem.field),
      ["customer_id", "start_date", "billing_plan_id", "auto_renew"],
    );
    return true;
  });
  // @ts-expect-error: the argument is missing on purpose
  await assert.rejects(lotus.getCurrentUsage(), ValidationError);
  assert.equal(lab.received.length, 0);
});

test("numbers are JavaScript numbers, or exact text on demand", async () => {
  const body = '[{"cost_due":12345678901234567.10,"line_items":{"total_revenue_due":0.30}}]';
  const { lab, lotus } = await withLab(() => ({ status: 200, body }));
  const asNumbers = await lotus.getCurrentUsage({ customer_id: "c" });
  assert.equal(asNumbers[0]?.line_items.total_revenue_due, 0.3);
  const exact = new Lotus("k", { host: lab.host, decimals: "string" });
  const asText = await exact.getCurrentUsage({ customer_id: "c" });
  const due: string | undefined = asText[0]?.cost_due;
  assert.equal(due, "12345678901234567.10");
  assert.equal(asText[0]?.line_items.total_revenue_due, "0.30");
});

test("callbacks work for every call, with and without parameters", async () => {
  const { lotus } = await withLab((request) =>
    request.method === "GET" ? { status: 200, body: [] } : { status: 409, body: { title: "taken", detail: "no" } },
  );
  const read = await new Promise((resolve) => lotus.getPlans((error, value) => resolve(error ?? value)));
  assert.deepEqual(read, []);
  const listed = await new Promise((resolve) => lotus.getSubscriptions((error, value) => resolve(error ?? value)));
  assert.deepEqual(listed, []);
  const written = await new Promise((resolve) =>
    lotus.createCustomer({ customer_id: "c", customer_name: "n" }, { timeout: 5000 }, (error) => resolve(error)),
  );
  assert.ok(written instanceof ApiError);
});

test("a write nobody waits for tells onError, or warns, and never ends the process", async () => {
  const seen: LotusError[] = [];
  const refuse: Handler = () => ({ status: 409, body: { title: "taken", detail: "no" } });
  const { lotus: listening } = await withLab(refuse, { onError: (error, event) => void (event ?? seen.push(error)) });
  listening.createCustomer({ customer_id: "c", customer_name: "n" });
  const { lotus: silent } = await withLab(refuse);
  silent.cancelSubscription({ subscription_id: "s" });
  while (seen.length === 0 || lotusWarnings.length === 0) await settle();
  assert.equal(seen[0]?.code, "taken");
  assert.match(lotusWarnings[0]?.message ?? "", /^409 taken: no/);
});
