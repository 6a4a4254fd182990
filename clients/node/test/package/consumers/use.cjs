const assert = require("node:assert/strict");
const Lotus = require("lotus-node");

assert.equal(typeof Lotus, "function");
assert.equal(Lotus.Lotus, Lotus);
assert.equal(Lotus.default, Lotus);
const { ValidationError, LotusError, fetchTransport, VERSION } = require("lotus-node");
assert.equal(typeof fetchTransport, "function");
assert.equal(VERSION, require("lotus-node/package.json").version);
assert.throws(
  () => new Lotus("", { flushAt: 0 }),
  (error) => error instanceof ValidationError && error instanceof LotusError,
);
assert.throws(() => require("lotus-node/dist/lotus.js"), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" });
assert.equal(typeof new Lotus("key").trackEvent, "function");
