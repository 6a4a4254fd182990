import assert from "node:assert/strict";
import { createRequire } from "node:module";
import Lotus, * as everything from "lotus-node";
import { Lotus as Named, ValidationError } from "lotus-node";

assert.equal(Lotus, Named);
assert.throws(() => new Lotus("", {}), ValidationError);

// One copy of the code: an error is an instance of its class on both sides.
const required = createRequire(import.meta.url)("lotus-node");
assert.equal(required, Lotus);
assert.equal(required.ValidationError, ValidationError);
const names = Object.keys(everything).filter((name) => !["__esModule", "module.exports"].includes(name));
for (const name of names) assert.ok(name in required, `require has no ${name}`);
assert.ok(names.includes("ApiError"));
