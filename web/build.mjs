// Puts what the web app needs of the installed packages into the server's package: styles, scripts, one font, and the
// icons named in icons.txt as one sprite. Nothing of it is committed. `make setup` runs this after `npm ci`.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "../src/lotus_server/http/web/assets/vendor");
const installed = (path) => join(here, "node_modules", path);

const SOURCE_MAP = /\n?(\/\/# sourceMappingURL=.*|\/\*# sourceMappingURL=.* \*\/)\s*$/;

async function copyText(from, name) {
  const text = await readFile(installed(from), "utf8");
  await writeFile(join(target, name), text.replace(SOURCE_MAP, "\n"));
}

async function icon(name) {
  const text = await readFile(installed(`@tabler/icons/icons/outline/${name}.svg`), "utf8");
  const body = text.slice(text.indexOf("<svg"));
  const shapes = body.slice(body.indexOf(">") + 1, body.lastIndexOf("</svg>")).replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`;
}

async function sprite() {
  const names = (await readFile(join(here, "icons.txt"), "utf8")).split("\n").filter(Boolean);
  const symbols = await Promise.all(names.map(icon));
  await writeFile(join(target, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`);
}

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await Promise.all([
  copyText("@tabler/core/dist/css/tabler.min.css", "tabler.css"),
  copyText("@tabler/core/dist/js/tabler.min.js", "tabler.js"),
  copyText("htmx.org/dist/htmx.min.js", "htmx.js"),
  readFile(installed("@fontsource-variable/inter/files/inter-latin-wght-normal.woff2")).then((font) =>
    writeFile(join(target, "inter.woff2"), font),
  ),
  sprite(),
  // Only the kinds of charts that the pages draw: a third of the whole library.
  build({
    entryPoints: [join(here, "charts.js")],
    outfile: join(target, "charts.js"),
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    legalComments: "none",
    logLevel: "warning",
  }),
]);
