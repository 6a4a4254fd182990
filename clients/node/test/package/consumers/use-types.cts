import Lotus = require("lotus-node");

const options: Lotus.LotusOptions = { host: "https://lotus.example" };
const lotus: Lotus = new Lotus("key", options);
const again: Lotus.Lotus = new Lotus.Lotus("key");
const byDefault: Lotus = new Lotus.default("key");
const verdict: Promise<Lotus.EventVerdict> = lotus.trackEvent({ event_name: "e", customer_id: "c" });
const exact: Promise<Lotus.Customer<string>[]> = new Lotus("key", { decimals: "string" }).getCustomers();

const reason = (error: unknown): string => (error instanceof Lotus.EventRejectedError ? error.reason : "");

export = { again, byDefault, exact, reason, verdict };
