import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, ConnectionError, Lotus, TimeoutError, type TransportRequest } from "../../src/index.js";
import { HandRuntime } from "../support/hand-runtime.js";
import { acceptAll } from "../support/lab-server.js";
import { withLab } from "../support/with-lab.js";

const event = (id: string, properties = {}) => ({
  event_name: "call",
  customer_id: "c",
  idempotency_id: id,
  properties,
});

test("bodies above the threshold are compressed, others are not", async () => {
  const { lab, lotus } = await withLab();
  lotus.trackEvent(event("small"));
  await lotus.flush();
  lotus.trackEvent(event("large", { text: "x".repeat(4096) }));
  await lotus.flush();
  const [small, large] = lab.received;
  assert.equal(small?.headers["content-encoding"], undefined);
  assert.equal(large?.headers["content-encoding"], "gzip");
  assert.ok((large?.rawBytes ?? 0) < 400);
  assert.equal(large?.json.batch[0].properties.text.length, 4096);
});

test("compression can be switched off", async () => {
  const { lab, lotus } = await withLab(acceptAll, { gzipMinBytes: Infinity });
  lotus.trackEvent(event("large", { text: "x".repeat(100_000) }));
  await lotus.flush();
  assert.equal(lab.received[0]?.headers["content-encoding"], undefined);
});

test("connections are used again", async () => {
  const { lab, lotus } = await withLab((request, index) =>
    request.path === "/api/track/" ? acceptAll(request, index) : { status: 200, body: [] },
  );
  for (let n = 0; n < 10; n++) {
    lotus.trackEvent(event(`e${n}`));
    await lotus.flush();
    await lotus.getPlans();
  }
  assert.equal(lab.received.length, 20);
  assert.ok(lab.socketCount <= 2, `${lab.socketCount} connections for 20 requests`);
});

test("host with a path and slashes", async () => {
  const { lab } = await withLab(() => ({ status: 200, body: [] }));
  for (const host of [`${lab.host}/`, `${lab.host}//`, `${lab.host}/below/`]) await new Lotus("k", { host }).getPlans();
  assert.deepEqual(
    lab.received.map((request) => request.path),
    ["/api/plans/", "/api/plans/", "/below/api/plans/"],
  );
});

test("nobody listening is a ConnectionError that says why", async () => {
  const { lab, lotus } = await withLab();
  await lab.stop();
  await assert.rejects(lotus.getPlans(), (error) => {
    assert.ok(error instanceof ConnectionError && !(error instanceof TimeoutError));
    assert.match(error.message, /ECONNREFUSED/);
    assert.ok(error.cause instanceof Error);
    return true;
  });
  assert.equal(lotus.stats.retries, 3);
});

test("too slow is a TimeoutError", async () => {
  const { lotus } = await withLab(() => "hang", { timeout: 50, retryCount: 0 });
  await assert.rejects(lotus.getPlans(), (error) => error instanceof TimeoutError && error.code === "timeout");
  await assert.rejects(lotus.getPlans({ timeout: 20 }), /within 20 ms/);
});

test("redirects are not followed: the key stays here", async () => {
  const { lab, lotus } = await withLab(() => ({ status: 301, headers: { location: "https://elsewhere.example/" } }));
  await assert.rejects(lotus.getPlans(), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 301);
    assert.match(error.message, /elsewhere\.example/);
    return true;
  });
  assert.equal(lab.received.length, 1);
});

test("a transport can stand in for the network", async () => {
  const requests: TransportRequest[] = [];
  const lotus = new Lotus("k", {
    host: "http://nowhere",
    transport: async (request) => {
      requests.push(request);
      return { status: 200, header: () => null, body: '[{"billing_plan_id":"p"}]' };
    },
  });
  assert.deepEqual(await lotus.getPlans(), [{ billing_plan_id: "p" }]);
  assert.equal(requests[0]?.url, "http://nowhere/api/plans/");
  assert.equal(requests[0]?.timeoutMs, 15_000);
});

test("whatever a transport throws is a ConnectionError and is retried", async () => {
  let attempts = 0;
  const lotus = new Lotus("k", {
    runtime: new HandRuntime(),
    transport: async () => {
      attempts++;
      throw "a string";
    },
  });
  await assert.rejects(lotus.getPlans(), (error) => error instanceof ConnectionError && /a string/.test(error.message));
  assert.equal(attempts, 4);
});

test("a fetch function can be given", async () => {
  const urls: string[] = [];
  const lotus = new Lotus("k", {
    host: "http://nowhere",
    fetch: async (url) => {
      urls.push(url);
      return new Response("[]");
    },
  });
  assert.deepEqual(await lotus.getCustomers(), []);
  assert.deepEqual(urls, ["http://nowhere/api/customers/"]);
});
