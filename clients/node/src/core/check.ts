import type { ValidationProblem } from "../errors.js";
import type { Fields } from "./fields.js";

/** What a field may hold. An instant is a valid Date or a text, which the server reads. */
export type Kind = "text" | "flag" | "instant" | "object" | "texts" | "textList";

/** The rules of one call. Lengths, known codes and the like are left to the server, the only place that knows them. */
export interface Rules {
  required?: readonly string[];
  kinds: Readonly<Record<string, Kind>>;
  /** At least one of each group must be given. */
  anyOf?: readonly (readonly string[])[];
  /** Exactly one of each group must be given. */
  exactlyOneOf?: readonly (readonly string[])[];
  /** The values a text field may have. */
  choices?: Readonly<Record<string, readonly string[]>>;
}

/** Everything that is wrong with the fields, in the order of the rules; empty if nothing is. */
export function problemsOf(fields: Fields, rules: Rules): ValidationProblem[] {
  const problems: ValidationProblem[] = [];
  for (const name of rules.required ?? []) {
    if (!(name in fields)) problems.push(problem(name, "required", `${name} is required`));
  }
  for (const group of rules.anyOf ?? []) {
    if (!group.some((name) => name in fields)) {
      problems.push(problem(group[0], "required", `one of ${group.join(", ")} is required`));
    }
  }
  for (const group of rules.exactlyOneOf ?? []) {
    const given = group.filter((name) => name in fields).length;
    if (given === 1) continue;
    const code = given === 0 ? "required" : "conflicting";
    problems.push(problem(group[0], code, `exactly one of ${group.join(", ")} must be given`));
  }
  for (const [name, kind] of Object.entries(rules.kinds)) {
    if (!(name in fields)) continue;
    const expected = expectedInstead(fields[name], kind);
    if (expected !== null) problems.push(problem(name, "invalid", `${name} must be ${expected}`));
  }
  for (const [name, choices] of Object.entries(rules.choices ?? {})) {
    const value = fields[name];
    if (typeof value === "string" && !choices.includes(value)) {
      problems.push(problem(name, "invalid_choice", `${name} must be one of ${choices.join(", ")}`));
    }
  }
  return problems;
}

function problem(field: string | undefined, code: string, detail: string): ValidationProblem {
  return field === undefined ? { code, detail } : { field, code, detail };
}

/** What the value should have been, or null if it is right. */
function expectedInstead(value: unknown, kind: Kind): string | null {
  switch (kind) {
    case "text":
      return isText(value) ? null : "a string that is not empty";
    case "flag":
      return typeof value === "boolean" ? null : "true or false";
    case "instant":
      return isText(value) || isValidDate(value) ? null : "a valid Date or a string with a date or time";
    case "object":
      return isPlainObject(value) ? null : "an object";
    case "texts":
      return isText(value) || (Array.isArray(value) && value.every(isText)) ? null : "a string or an array of strings";
    case "textList":
      return Array.isArray(value) && value.every(isText) ? null : "an array of strings";
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isValidDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
