import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { type Ended, PACKAGE_ROOT, runNode, TSC } from "./packed.js";

/** A code block of README.md that can be run. */
export interface Block {
  /** The nearest heading above it, and its line, for the name of its test. */
  name: string;
  language: "js" | "ts";
  code: string;
}

/** Names in README.md that must be new on the server each time: each gets the suffix of the run. */
const NAMES = [
  "customer_123",
  "customer_124",
  "signup-124",
  "subscription_123",
  "billing_plan_5",
  "metric_5",
  "api_call",
  "request-234234",
  "single_sign_on",
];

/** The js and ts blocks of README.md, in order. */
export function readmeBlocks(): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let open: { language: string; line: number; lines: string[] } | null = null;
  for (const [at, text] of readFileSync(join(PACKAGE_ROOT, "README.md"), "utf8").split("\n").entries()) {
    if (open !== null && text === "```") {
      const { language, line, lines } = open;
      if (language === "js" || language === "ts") {
        blocks.push({ name: `${heading} (line ${line})`, language, code: lines.join("\n") });
      }
      open = null;
    } else if (open !== null) open.lines.push(text);
    else if (text.startsWith("```")) open = { language: text.slice(3), line: at + 1, lines: [] };
    else if (text.startsWith("#")) heading = text.replace(/^#+ /, "");
  }
  return blocks;
}

/** A name of README.md as it is called in this run. */
export function nameInRun(name: string, run: string): string {
  return `${name}_${run}`;
}

/**
 * Runs a block as a program of its own in a project that has the package installed. Blocks that make no client get the one
 * of "Initialise". TypeScript is checked first.
 */
export async function runBlock(
  block: Block,
  at: { project: string; run: string; env: Record<string, string> },
): Promise<Ended> {
  const names = new RegExp(NAMES.join("|"), "g");
  const code = block.code.replace(names, (name) => nameInRun(name, at.run));
  const isCommonJs = code.includes("require(");
  const hasClient = code.includes("new Lotus(");
  const whole = hasClient
    ? code
    : `import Lotus from "lotus-node";\nconst lotus = new Lotus();\n${code}\nawait lotus.shutdown();\n`;
  const stem = `block-${block.name.replace(/[^a-z0-9]+/gi, "-")}`;
  if (block.language === "ts") {
    writeFileSync(join(at.project, `${stem}.mts`), whole);
    const flags = [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2022",
      "--lib",
      "es2022",
      "--types",
      "node",
      "--skipLibCheck",
    ];
    const types = ["--typeRoots", join(PACKAGE_ROOT, "node_modules", "@types")];
    const checked = await runNode([TSC, ...flags, ...types, `${stem}.mts`], at.project);
    if (checked.exitCode !== 0) return checked;
  }
  const name = `${stem}.${isCommonJs ? "cjs" : "mjs"}`;
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const runnable = block.language === "ts" ? ts.transpileModule(whole, { compilerOptions: options }).outputText : whole;
  writeFileSync(join(at.project, name), runnable);
  return runNode(["--throw-deprecation", name], at.project, at.env);
}
