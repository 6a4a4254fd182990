import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeJson, parseJsonWithExactNumbers } from "../../src/core/json.js";

test("numbers become the exact text that was sent", () => {
  const text = '{"a":0.1234567890123456789,"b":[1,-2.50,1E+3,0],"c":{"d":99999999999999999999.99}}';
  assert.deepEqual(parseJsonWithExactNumbers(text), {
    a: "0.1234567890123456789",
    b: ["1", "-2.50", "1E+3", "0"],
    c: { d: "99999999999999999999.99" },
  });
});

test("digits inside strings and keys, escapes and literals are not touched", () => {
  const value = { "12": "3.5", 'q"7': '\\" 8 \\', empty: "", yes: true, no: null, text: "\u2028 é 9" };
  assert.deepEqual(parseJsonWithExactNumbers(JSON.stringify(value)), value);
});

test("text that is no JSON is refused, also where quoting its numbers would repair it", () => {
  for (const text of ["01", "[1 2]", "{1:2}", "-", "1.", ""])
    assert.throws(() => parseJsonWithExactNumbers(text), text);
});

test("long strings full of escapes are read", () => {
  const value = { text: '\\"1'.repeat(500_000), n: "1" };
  assert.deepEqual(parseJsonWithExactNumbers(`{"text":${JSON.stringify(value.text)},"n":1}`), value);
});

test("numbers JSON has no word for are problems, each with its place", () => {
  const { problems } = encodeJson({ properties: { a: Number.NaN, b: { c: [1, Infinity] }, d: new Date(Number.NaN) } });
  assert.deepEqual(
    problems.map((problem) => problem.field),
    ["properties.a", "properties.b.c.1", "properties.d"],
  );
});

test("a value that contains itself is a problem and does not hang", () => {
  const value: Record<string, unknown> = {};
  Object.assign(value, { a: value, b: value, c: [value, value] });
  assert.match(encodeJson({ properties: value }).problems[0]?.detail ?? "", /contains itself/);
});

test("a BigInt keeps its digits", () => {
  assert.equal(encodeJson({ n: 123456789012345678901234567890n }).text, '{"n":"123456789012345678901234567890"}');
});

test("objects of decimal libraries become what they want to be", () => {
  assert.equal(encodeJson({ n: { toJSON: () => "0.1" } }).text, '{"n":"0.1"}');
});

test("half of a surrogate pair is a problem; whole pairs and written-out escapes are not", () => {
  assert.equal(encodeJson({ a: "x\ud83d" }).text, null);
  assert.equal(encodeJson({ a: "\ude00x" }).text, null);
  assert.notEqual(encodeJson({ a: "😀", b: "\\ud83d" }).text, null);
});
