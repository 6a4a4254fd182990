/** Arguments of a call by their wire names. */
export type Fields = Record<string, unknown>;

/**
 * The top-level keys in snake_case, without those that are null or undefined ("not given"). false, 0 and "" are values
 * and stay. Nested values are the caller's own and are not touched. If a name is given in both spellings, snake_case wins.
 * Unknown names are kept: the server ignores what it does not know, and a newer server may know more than this library.
 */
export function fieldsOf(params: unknown): Fields {
  const fields: Fields = Object.create(null);
  if (typeof params !== "object" || params === null) return fields;
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined) continue;
    const wireName = toSnakeCase(name);
    if (wireName === name || !(wireName in fields)) fields[wireName] = value;
  }
  return fields;
}

/** `customerId` and `customerID` become `customer_id`. */
export function toSnakeCase(name: string): string {
  if (!/[A-Z]/.test(name)) return name;
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}
