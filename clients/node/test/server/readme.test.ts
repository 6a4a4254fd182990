import assert from "node:assert/strict";
import { before, test } from "node:test";
import { projectWithPackage } from "../support/packed.js";
import { readmeBlocks, runBlock } from "../support/readme.js";
import { makePlan, realClient } from "../support/real-server.js";

const { run, named, host, apiKey } = realClient();
const project = projectWithPackage();

before(() => makePlan({ named }));

// In the order of the file: the blocks tell one story, from the first event to the end of the subscription.
for (const block of readmeBlocks()) {
  test(`the example of "${block.name}" runs against a real server`, async () => {
    const env = { LOTUS_HOST: host, LOTUS_API_KEY: apiKey };
    const { exitCode, stderr, stdout } = await runBlock(block, { project, run, env });
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" }, stdout);
  });
}
