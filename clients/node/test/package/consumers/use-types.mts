import Lotus, {
  ApiError,
  type Customer,
  EventRejectedError,
  type EventVerdict,
  type LotusOptions,
  Lotus as Named,
  type Transport,
} from "lotus-node";

const options: LotusOptions = { host: "https://lotus.example", flushAt: 5, timeout: false };
const lotus: Lotus = new Named("key", options);

const verdict: Promise<EventVerdict> = lotus.trackEvent({ eventName: "e", customerId: "c", timeCreated: new Date() });
lotus.trackEvent({ event_name: "e", customer_id: "c", properties: { deep: { n: 1n } } }, (error, value) => {
  if (error instanceof EventRejectedError) throw new Error(error.reason + error.event.idempotency_id);
  const id: string | undefined = value?.idempotency_id;
  return id;
});
// @ts-expect-error: customer_id is missing
lotus.trackEvent({ event_name: "e" });
// @ts-expect-error: no such field
lotus.cancelSubscription({ subscription_id: "s", billnow: true });

const customers: Customer[] = await lotus.getCustomers();
const balance: number | undefined = customers[0]?.balance;
const exact = new Lotus("key", { decimals: "string" });
const exactBalance: string | undefined = (await exact.getCustomers())[0]?.balance;
const due: string | undefined = (await exact.getCurrentUsage({ customer_id: "c" }))[0]?.cost_due;

const transport: Transport = async (request) => ({ status: 200, header: () => null, body: request.url });
try {
  await new Lotus("key", { transport }).createCustomer({ customerId: "c", customerName: "n" }, { idempotencyKey: "k" });
} catch (error) {
  if (error instanceof ApiError)
    throw new Error(`${error.status}${error.validationErrors[0]?.field}${error.requestId}`);
}

export { balance, due, exactBalance, verdict };
