// Loaded before every test file: a warning that no test expects is an error.
const expected: string[] = [];

process.on("warning", (warning) => {
  if (expected.includes(warning.name)) return;
  // node:test and fetch are still called experimental by Node 18.
  if (warning.name === "ExperimentalWarning") return;
  throw warning;
});

/** The warnings of this type that are emitted from now on, in this process; they are expected. */
export function warningsOfType(type: string): Error[] {
  const seen: Error[] = [];
  expected.push(type);
  process.on("warning", (warning) => {
    if (warning.name === type) seen.push(warning);
  });
  return seen;
}
