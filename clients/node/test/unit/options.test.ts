import assert from "node:assert/strict";
import { test } from "node:test";
import type { DecimalForm } from "../../src/core/reply.js";
import { type LotusOptions, ValidationError } from "../../src/index.js";
import { settingsOf } from "../../src/options.js";

const settings = (options: LotusOptions<DecimalForm> = {}, environment: Record<string, string> = {}) =>
  settingsOf("key", options, environment);

test("defaults", () => {
  const { batch, maxQueueSize, timeoutMs, eventRetry, gzipMinBytes, endpoint, isEnabled, decimals } = settings();
  assert.deepEqual(
    { batch, maxQueueSize, timeoutMs, retryCount: eventRetry.retryCount, gzipMinBytes, endpoint, isEnabled, decimals },
    {
      batch: { flushAt: 20, flushIntervalMs: 10_000, maxBatchSize: 1000, maxBatchBytes: 5_000_000 },
      maxQueueSize: 100_000,
      timeoutMs: 15_000,
      retryCount: 3,
      gzipMinBytes: 4096,
      endpoint: { apiKey: "key", host: "https://api.uselotus.io" },
      isEnabled: true,
      decimals: "number",
    },
  );
});

test("key and host come from the environment when they are not given", () => {
  const environment = { LOTUS_API_KEY: "env-key\n", LOTUS_HOST: "http://env:8000/" };
  assert.deepEqual(settingsOf(undefined, {}, environment).endpoint, { apiKey: "env-key", host: "http://env:8000" });
  assert.deepEqual(settingsOf("k", { host: "http://arg" }, environment).endpoint, { apiKey: "k", host: "http://arg" });
});

test("slashes at the end of host do not matter, a path in it does", () => {
  for (const host of ["http://h:1/lotus", "http://h:1/lotus/", "http://h:1/lotus//"]) {
    assert.equal(settings({ host }).endpoint.host, "http://h:1/lotus");
  }
});

test("timeout: false means never", () => {
  assert.equal(settings({ timeout: false }).timeoutMs, null);
});

test("a small queue lowers the default of flushAt", () => {
  assert.equal(settings({ maxQueueSize: 5 }).batch.flushAt, 5);
});

test("every wrong option is reported", () => {
  const wrong = {
    host: "ftp://h",
    flushAt: 0,
    flushInterval: -1,
    timeout: 0,
    retryCount: 1.5,
    maxBatchSize: 1001,
    maxQueueSize: Number.NaN,
    gzipMinBytes: -1,
    decimals: "exact" as "string",
    fetch: () => Promise.reject(new Error()),
    transport: () => Promise.reject(new Error()),
  };
  assert.throws(
    () => settingsOf("two words", wrong, {}),
    (error) => {
      assert.ok(error instanceof ValidationError);
      const names = error.validationErrors.map((problem) => problem.field);
      assert.deepEqual(names.sort(), ["apiKey", ...Object.keys(wrong).filter((name) => name !== "fetch")].sort());
      return true;
    },
  );
});

test("a missing key is an error at once", () => {
  assert.throws(() => settingsOf(undefined, {}, {}), ValidationError);
});
