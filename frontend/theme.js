// Cuts the theme's style sheet to the classes that some page here can name. The theme's own holds every class
// that a project might want, 330 KB, of which a phone reads three quarters for nothing.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { glob } from "glob";
import postcss from "postcss";
import parser from "postcss-selector-parser";

const SITE_PACKAGES = process.env.SITE_PACKAGES;
const STYLE = "static/unfold/css/styles.css";
// Whatever may name a class: tests/project/test_frontend.py has the same list.
const SOURCES = [
  `${SITE_PACKAGES}/unfold/{*.py,templatetags/*.py,templates/**/*.html,static/unfold/js/**/*.js}`,
  `${SITE_PACKAGES}/django/contrib/{admin,auth}/**/*.{html,py,js}`,
  `${SITE_PACKAGES}/django_q/**/*.{html,py}`,
  "../notices/**/*.{html,py}",
  "../notices/static/notices/*.js",
  "../studybot/settings.py",
];
// A script puts these names together.
const PUT_TOGETHER = /^select2/;

const whole = readFileSync(`${SITE_PACKAGES}/unfold/${STYLE}`, "utf8");
// Names are looked for as they stand, amid whatever a template puts around them. Some have a sign escaped.
const plain = (text) => text.replaceAll("\\", "");
const sources = plain((await glob(SOURCES)).map((path) => readFileSync(path, "utf8")).join("\n"));
const canBeNamed = (name) => sources.includes(plain(name)) || PUT_TOGETHER.test(name);
const isExcluded = (node) => node.parent && (node.parent.value === ":not" || isExcluded(node.parent));

/** Whether some element can be what the selector asks for. */
function canBe(selector) {
  let can = true;
  selector.walkClasses((node) => {
    can &&= isExcluded(node) || canBeNamed(node.value);
  });
  return can;
}

const cut = postcss.parse(whole);
const selectors = parser((list) => {
  for (const selector of [...list.nodes]) if (!canBe(selector)) selector.remove();
});
cut.walkRules((rule) => {
  if (rule.parent.name === "keyframes") return;
  const kept = selectors.processSync(rule.selector);
  if (kept) rule.selector = kept;
  else rule.remove();
});
cut.walkAtRules((rule) => {
  if (rule.nodes?.length === 0) rule.remove();
});
const digest = createHash("sha256").update(whole).digest("hex");
writeFileSync(`../notices/${STYLE}`, `/* Tailwind CSS, MIT License, as the theme has it, cut by "make frontend". Whole: sha256 ${digest} */\n${cut}\n`);
