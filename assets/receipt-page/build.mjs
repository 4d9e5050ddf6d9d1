// Builds the page into dist (or --out DIR). The same sources and pinned tools give the same bytes.

import { build, transform } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const flag = process.argv.indexOf("--out");
const out = flag > 0 ? process.argv[flag + 1] : join(here, "dist");
const source = (name) => join(here, "src", name);

// frame-ancestors has no effect in a document; the host sends it in the header (see receiptpage.CSP).
const csp = (await readFile(join(here, "csp.txt"), "utf8")).trim();
const inPage = csp.split(/;\s*/).filter((d) => !d.startsWith("frame-ancestors")).join("; ");

const options = { minify: true, target: "es2020", charset: "utf8", legalComments: "inline" };
const bundle = async (name, format, more = {}) => {
  const r = await build({ ...options, entryPoints: [source(name)], bundle: true, format, write: false, ...more });
  return r.outputFiles[0].text;
};

const files = {
  "index.html": (await readFile(source("index.html"), "utf8")).replace('content="CSP"', `content="${inPage}"`),
  "app.js": await bundle("app.js", "esm", { external: ["./words.js"] }),
  "words.js": await bundle("words.js", "esm"),
  "style.css": (await transform(await readFile(source("style.css"), "utf8"), { ...options, loader: "css" })).code,
  "icon.svg": await readFile(source("icon.svg"), "utf8"),
};
const hash = createHash("sha256");
for (const name of Object.keys(files).sort()) hash.update(`${name}\0${files[name]}\0`);
files["sw.js"] = await bundle("sw.js", "iife", { define: { BUILD: JSON.stringify(hash.digest("hex").slice(0, 12)) } });

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
for (const [name, text] of Object.entries(files)) await writeFile(join(out, name), text);
