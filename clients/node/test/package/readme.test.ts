import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import * as library from "../../src/index.js";
import { cannedLotus } from "../support/canned-lotus.js";
import { LabServer } from "../support/lab-server.js";
import { PACKAGE_ROOT, projectWithPackage } from "../support/packed.js";
import { readmeBlocks, runBlock } from "../support/readme.js";

const project = projectWithPackage();
const lab = LabServer.start(cannedLotus);
after(async () => (await lab).stop());

test("README.md shows every call", () => {
  const code = readmeBlocks().map((block) => block.code);
  for (const call of [
    "trackEvent",
    "getCustomers",
    "createCustomer",
    "getCurrentUsage",
    "getPlans",
    "getSubscriptions",
    "createSubscription",
    "cancelSubscription",
    "getCustomerAccess",
    "getUsage",
    "voidEvents",
    "amendEvent",
    "verifyEventsReceived",
  ]) {
    assert.ok(
      code.some((one) => one.includes(`lotus.${call}(`)),
      call,
    );
  }
});

test("README.md explains every option and every error", () => {
  const readme = readFileSync(join(PACKAGE_ROOT, "README.md"), "utf8");
  const declarations = readFileSync(join(PACKAGE_ROOT, "dist", "options.d.ts"), "utf8");
  const block = declarations.slice(
    declarations.indexOf("interface LotusOptions"),
    declarations.indexOf("interface Settings"),
  );
  const options = [...block.matchAll(/^ {4}(\w+)\?:/gm)].map((match) => match[1] ?? "");
  assert.ok(options.length >= 14, "the options were not found");
  for (const option of options) assert.match(readme, new RegExp(`^\\| \`${option}\` \\|`, "m"));
  for (const error of Object.keys(library).filter((name) => name.endsWith("Error")))
    assert.ok(readme.includes(error), error);
});

for (const block of readmeBlocks()) {
  test(`the example of "${block.name}" runs`, async () => {
    const env = { LOTUS_HOST: (await lab).host, LOTUS_API_KEY: "key" };
    const { exitCode, stderr, stdout } = await runBlock(block, { project, run: "lab", env });
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" }, stdout);
  });
}
