// Makes dist/: the library once, as CommonJS, with two thin entries over it (entry.cjs, entry.mjs). One copy of the code,
// however it is loaded, so that `error instanceof LotusError` holds in a program that mixes both module systems.
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

rmSync(join(root, "dist"), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
for (const name of ["entry.cjs", "entry.d.cts"]) {
  copyFileSync(join(root, "src", name), join(root, "dist", name));
}
