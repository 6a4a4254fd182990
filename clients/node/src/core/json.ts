import type { ValidationProblem } from "../errors.js";

/** Deeper than this a value is taken to contain itself. */
const DEPTH_MAX = 100;

/** Nobody reads more; without it, a value that contains itself twice would be walked 2^DEPTH_MAX times. */
const PROBLEMS_MAX = 100;

/** The JSON text of a value, or what stands in the way of one. */
export type Encoded = { text: string; problems: [] } | { text: null; problems: ValidationProblem[] };

/**
 * Encodes a value so that nothing is lost silently. NaN, Infinity and invalid Dates, which JSON.stringify would turn into
 * null, are problems. A BigInt becomes a string of its digits, which the server reads as a number. Objects that know how to
 * become JSON (decimal libraries) do so.
 */
export function encodeJson(value: unknown): Encoded {
  const problems: ValidationProblem[] = [];
  const hasBigInt = inspect(value, "", 0, problems);
  if (problems.length > 0) return { text: null, problems };
  const text = JSON.stringify(value, hasBigInt ? bigIntAsDigits : undefined);
  if (hasHalfPair(text)) return { text: null, problems: [HALF_PAIR] };
  return { text, problems: [] };
}

/** What to report about a text for which hasHalfPair holds. */
export const HALF_PAIR: ValidationProblem = { code: "invalid", detail: "a string contains half of a surrogate pair" };

/**
 * True if a string inside this JSON text holds half of a surrogate pair. JSON.stringify writes it as an escape, which strict
 * parsers refuse, and with it every neighbour in the same request.
 */
export function hasHalfPair(text: string): boolean {
  return text.includes("\\ud") && /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(text);
}

/** Reads JSON; every number becomes a string with exactly the characters that were sent. */
export function parseJsonWithExactNumbers(text: string): unknown {
  JSON.parse(text); // Refuses what the replacement below would make valid, such as 01.
  const quoted = text.replace(STRING_OR_NUMBER, (token) => (token.startsWith('"') ? token : `"${token}"`));
  return JSON.parse(quoted);
}

/** Strings are matched in order to skip them: digits inside them are not numbers. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Adds what cannot be encoded to problems; tells whether there is a BigInt somewhere. */
function inspect(value: unknown, path: string, depth: number, problems: ValidationProblem[]): boolean {
  if (typeof value === "bigint") return true;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) problems.push(invalid(path, "must be a finite number"));
    return false;
  }
  if (typeof value !== "object" || value === null) return false;
  if (depth > DEPTH_MAX) {
    problems.push(invalid(path.split(".", 1).join(), "is nested too deeply or contains itself"));
    return false;
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) problems.push(invalid(path, "must be a valid Date"));
    return false;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return false;
  let hasBigInt = false;
  for (const key of Object.keys(value)) {
    const child = (value as Record<string, unknown>)[key];
    if (typeof child === "string") continue;
    if (inspect(child, path === "" ? key : `${path}.${key}`, depth + 1, problems)) hasBigInt = true;
    if (problems.length >= PROBLEMS_MAX) break;
  }
  return hasBigInt;
}

function invalid(field: string, what: string): ValidationProblem {
  return { field, code: "invalid", detail: `${field} ${what}` };
}

function bigIntAsDigits(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
