import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** The folder of the package: tests run from build/test/<kind>/. */
export const PACKAGE_ROOT = join(__dirname, "..", "..", "..");

/** A new folder in which the package is installed from its tarball, as a user would have it; removed after the tests. */
export function projectWithPackage(): string {
  const project = mkdtempSync(join(tmpdir(), "lotus-node-"));
  after(() => rmSync(project, { recursive: true, force: true }));
  const packed = execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", project], {
    cwd: PACKAGE_ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const tarball = packed.trim().split("\n").pop() as string;
  execFileSync("tar", ["-xzf", tarball], { cwd: project });
  mkdirSync(join(project, "node_modules"));
  cpSync(join(project, "package"), join(project, "node_modules", "lotus-node"), { recursive: true });
  rmSync(join(project, "package"), { recursive: true });
  return project;
}

/** How a process ended, and what it wrote. */
export interface Ended {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a file with Node to its end. A process that hangs is killed after a minute, with exit code -1. */
export function runNode(args: string[], cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, env: { ...process.env, ...env }, timeout: 60_000 },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ exitCode, stdout, stderr });
      },
    );
  });
}

/** The TypeScript compiler of this package. */
export const TSC = require.resolve("typescript/bin/tsc");
