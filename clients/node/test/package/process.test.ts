import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { acceptAll, type Handler, LabServer, verdicts } from "../support/lab-server.js";
import { projectWithPackage, runNode } from "../support/packed.js";

const project = projectWithPackage();
let scriptCount = 0;

/** Runs a script as a process of its own against a server, to its natural end. */
async function run(script: string, handler: Handler = acceptAll) {
  const lab = await LabServer.start(handler);
  after(() => lab.stop());
  scriptCount++;
  const name = `script-${scriptCount}.mjs`;
  const prelude = `import Lotus from "lotus-node"; const lotus = new Lotus();\n`;
  writeFileSync(join(project, name), prelude + script);
  const ended = await runNode([name], project, { LOTUS_HOST: lab.host, LOTUS_API_KEY: "key" });
  return { lab, ...ended };
}

const TRACK_45 = `
  for (let n = 0; n < 45; n++) lotus.trackEvent({ event_name: "e", customer_id: "c", idempotency_id: "e" + n });
`;

test("a short script that ignores every promise loses nothing", async () => {
  const { lab, ...ended } = await run(TRACK_45);
  assert.deepEqual(ended, { exitCode: 0, stdout: "", stderr: "" });
  assert.equal(new Set(lab.trackedIds.flat()).size, 45);
});

test("a queue below flushAt is sent when the script ends, not after the flush interval", async () => {
  const startedAtMs = performance.now();
  const { lab, exitCode } = await run(`lotus.trackEvent({ event_name: "e", customer_id: "c" });`);
  assert.equal(exitCode, 0);
  assert.equal(lab.trackedIds.flat().length, 1);
  assert.ok(performance.now() - startedAtMs < 9000, "it waited for the flush interval of 10 s");
});

test("a script may await a single event at its top level", async () => {
  const { exitCode, stdout } = await run(
    `console.log((await lotus.trackEvent({ event_name: "e", customer_id: "c" })).status);`,
  );
  assert.deepEqual([exitCode, stdout], [0, "accepted\n"]);
});

test("a script that ends during an outage waits for its retries", async () => {
  const { lab, exitCode } = await run(TRACK_45, (request, index) => (index < 2 ? "drop" : acceptAll(request, index)));
  assert.equal(exitCode, 0);
  assert.equal(new Set(lab.trackedIds[2]).size, 45);
});

test("ignored failures are a warning, not a crash", async () => {
  const { exitCode, stderr } = await run(TRACK_45, (request) => ({
    status: 400,
    body: verdicts(request, () => ({ status: "rejected", reason: "of the weather" })),
  }));
  assert.equal(exitCode, 0);
  assert.match(stderr, /LotusWarning.*of the weather/);
  assert.equal(stderr.match(/LotusWarning/g)?.length, 1);
});

test("a wrong event that is ignored is a warning, not a crash", async () => {
  const { exitCode, stderr } = await run(`lotus.trackEvent({ event_name: "e" });`);
  assert.equal(exitCode, 0);
  assert.match(stderr, /LotusWarning.*customer_id is required/);
});

test("a client that did its work does not hold the process", async () => {
  const { exitCode, stderr } = await run(
    `await lotus.trackEvent({ event_name: "e", customer_id: "c" }); await lotus.flush();`,
  );
  assert.deepEqual([exitCode, stderr], [0, ""]);
});

test("many clients are not taken for a leak", async () => {
  const { lab, stderr } = await run(`
    for (let n = 0; n < 20; n++) new Lotus().trackEvent({ event_name: "e", customer_id: "c" });
  `);
  assert.equal(stderr, "");
  assert.equal(lab.trackedIds.flat().length, 20);
});
