// Builds the scripts in ../notices/static/notices that have a library in them, and says in each of which sources.

import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const STATIC = "../notices/static/notices";
// With the libraries that are built in.
const BUILT = {
  preview: ["@cloudrac3r/discord-markdown", "simple-markdown"],
  emoji: ["emoji-picker-element", "emoji-picker-element-data"],
  timestamp: [],
};
const LANGUAGES = ["ko", "en"];

const isSource = (name) => name.endsWith(".js") || name === "package-lock.json";
const hash = createHash("sha256");
for (const name of readdirSync(".").filter(isSource).sort()) hash.update(`${name}\0`).update(readFileSync(name)).update("\0");
const digest = hash.digest("hex");

for (const [name, libraries] of Object.entries(BUILT)) {
  await build({
    entryPoints: [`${name}.js`],
    outfile: `${STATIC}/${name}.js`,
    bundle: true,
    minify: true,
    format: "esm",
    charset: "utf8",
    legalComments: "none",
    banner: { js: `// Built from frontend/ by "make frontend". Sources: sha256 ${digest}` },
  });
  const licences = libraries.map((library) => `${library}\n\n${readFileSync(`node_modules/${library}/LICENSE`, "utf8")}`);
  if (licences.length) writeFileSync(`${STATIC}/${name}.LICENSES.txt`, licences.join("\n"));
}
for (const language of LANGUAGES) {
  copyFileSync(`node_modules/emoji-picker-element-data/${language}/cldr/data.json`, `${STATIC}/emoji-${language}.json`);
}
