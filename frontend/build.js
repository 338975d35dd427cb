// Builds ../notices/static/notices/preview.js, and says in it of which sources.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const STATIC = "../notices/static/notices";
const LIBRARIES = ["@cloudrac3r/discord-markdown", "simple-markdown"];

const isSource = (name) => name.endsWith(".js") || name === "package-lock.json";
const hash = createHash("sha256");
for (const name of readdirSync(".").filter(isSource).sort()) hash.update(`${name}\0`).update(readFileSync(name)).update("\0");

await build({
  entryPoints: ["preview.js"],
  outfile: `${STATIC}/preview.js`,
  bundle: true,
  minify: true,
  format: "esm",
  charset: "utf8",
  legalComments: "none",
  banner: { js: `// Built from frontend/ by "make frontend". Sources: sha256 ${hash.digest("hex")}` },
});
const licences = LIBRARIES.map((name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8")}`);
writeFileSync(`${STATIC}/preview.LICENSES.txt`, licences.join("\n"));
