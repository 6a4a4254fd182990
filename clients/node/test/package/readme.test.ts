import assert from "node:assert/strict";
import { after, test } from "node:test";
import { cannedLotus } from "../support/canned-lotus.js";
import { LabServer } from "../support/lab-server.js";
import { projectWithPackage } from "../support/packed.js";
import { readmeBlocks, runBlock } from "../support/readme.js";

const project = projectWithPackage();
const lab = LabServer.start(cannedLotus);
after(async () => (await lab).stop());

test("README.md shows all nine calls", () => {
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
  ]) {
    assert.ok(
      code.some((one) => one.includes(`lotus.${call}(`)),
      call,
    );
  }
});

for (const block of readmeBlocks()) {
  test(`the example of "${block.name}" runs`, async () => {
    const env = { LOTUS_HOST: (await lab).host, LOTUS_API_KEY: "key" };
    const { exitCode, stderr, stdout } = await runBlock(block, { project, run: "lab", env });
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" }, stdout);
  });
}
