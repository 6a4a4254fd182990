import { randomBytes } from "node:crypto";
import { Lotus } from "../../src/index.js";
import { nameInRun } from "./readme.js";

/** Where the real server is, from the environment. Fails, rather than skips, when it is not said. */
export function realServer(): { host: string; apiKey: string } {
  const { LOTUS_HOST: host, LOTUS_API_KEY: apiKey } = process.env;
  if (host && apiKey) return { host: host.replace(/\/+$/, ""), apiKey };
  throw new Error(
    "These tests need a running Lotus server whose clock shows the real time: set LOTUS_HOST and LOTUS_API_KEY, for example " +
      "LOTUS_HOST=http://127.0.0.1:8000 LOTUS_API_KEY=... npm run test:server",
  );
}

/** A client of the real server, and names that nobody used there before. */
export function realClient() {
  const { host, apiKey } = realServer();
  const run = randomBytes(6).toString("hex");
  return { lotus: new Lotus(apiKey, { host }), host, apiKey, run, named: (name: string) => nameInRun(name, run) };
}

/** Today in UTC, as YYYY-MM-DD. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** What a plan needs, made through the HTTP API: 10 units free, then 0.10 USD each, at most 100; one feature. */
export async function makePlan({ named }: { named: (name: string) => string }): Promise<void> {
  const metric = await post("/api/metrics/", {
    metric_id: named("metric_5"),
    metric_name: named("calls"),
    event_name: named("api_call"),
    metric_type: "counter",
    aggregation_type: "count",
  });
  await post("/api/features/", { feature_name: named("single_sign_on") });
  await post("/api/plans/", {
    plan_id: named("billing_plan_5"),
    plan_name: named("Plan five"),
    plan_duration: "monthly",
    currency: "USD",
    components: [
      {
        metric_id: metric.metric_id,
        price: { model: "per_unit", unit_price: "0.10", free_units: 10 },
        limit: 100,
      },
    ],
    features: [named("single_sign_on")],
  });
}

/** Makes something this library has no call for. */
async function post(path: string, body: unknown): Promise<{ metric_id?: string }> {
  const { host, apiKey } = realServer();
  const response = await fetch(host + path, {
    method: "POST",
    headers: { "x-api-key": apiKey, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as { metric_id?: string };
}
