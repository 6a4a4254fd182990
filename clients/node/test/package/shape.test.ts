import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import * as library from "../../src/index.js";
import { PACKAGE_ROOT, projectWithPackage, runNode, TSC } from "../support/packed.js";

const project = projectWithPackage();
cpSync(join(PACKAGE_ROOT, "test", "package", "consumers"), project, { recursive: true });

for (const name of ["use.cjs", "use.mjs"]) {
  test(`${name} works with the installed package`, async () => {
    const ended = await runNode(["--throw-deprecation", name], project);
    assert.deepEqual(ended, { exitCode: 0, stdout: "", stderr: "" });
  });
}

test("the types are right for ESM and CommonJS, in a project without the types of Node", async () => {
  const ended = await runNode([TSC, "-p", "tsconfig.json"], project);
  assert.deepEqual(ended, { exitCode: 0, stdout: "", stderr: "" });
});

test("the tarball has the library, README and license, and nothing else", () => {
  const installed = join(project, "node_modules", "lotus-node");
  assert.deepEqual(readdirSync(installed).sort(), ["LICENSE", "README.md", "dist", "package.json"]);
});

test("there are no dependencies at run time", () => {
  const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8"));
  assert.equal(manifest.dependencies, undefined);
  assert.equal(manifest.version, library.VERSION);
});

test("the types of both entries name the same exports", () => {
  const files = ["index.d.ts", "entry.d.cts"].map((name) => join(PACKAGE_ROOT, "dist", name));
  const options = { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 };
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const [index, entry] = files.map((file) => {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile) as ts.Symbol;
    return checker.getExportsOfModule(symbol).map((one) => one.name);
  });
  const extra = ["default", "prototype"];
  assert.deepEqual(entry?.filter((name) => !extra.includes(name)).sort(), index?.sort());
});

test("the public names", () => {
  assert.deepEqual(Object.keys(library).sort(), [
    "ApiError",
    "ClosedError",
    "ConnectionError",
    "EventConflictError",
    "EventError",
    "EventRejectedError",
    "InvalidReplyError",
    "Lotus",
    "LotusError",
    "QueueFullError",
    "TimeoutError",
    "VERSION",
    "ValidationError",
    "fetchTransport",
    "systemRuntime",
  ]);
});
