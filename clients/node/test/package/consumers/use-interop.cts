// With esModuleInterop, as most projects that compile to CommonJS have it.
import Lotus, { ApiError, type LotusOptions, Lotus as Named } from "lotus-node";

const options: LotusOptions<"string"> = { decimals: "string" };
export const lotus: Lotus<"string"> = new Lotus("key", options);
export const named: Named = new Named("key");
export const status = (error: unknown): number => (error instanceof ApiError ? error.status : 0);
