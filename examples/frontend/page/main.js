// The address says what is shown: `#/`, `#/notices/12` or `#/notices/12/edit`. So a reload goes on.

import { ask, Refused, untilAnswered } from "./api.js";
import { change, writeNew } from "./compose.js";
import { h } from "./dom.js";
import { note, waitingIn } from "./notes.js";
import { showProgress } from "./progress.js";
import { language, t } from "./texts.js";

const main = document.querySelector("main");
let shown = new AbortController();

async function show() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const [, id, edit] = location.hash.match(/^#\/notices\/([1-9]\d*)(\/edit)?$/) ?? [];
  const view = !id ? writeNew : edit ? change : showProgress;
  try {
    const studies = await load(signal);
    if (studies.length) await view(main, { id, studies, signal });
    else main.replaceChildren(h("p", { class: "note bad" }, t("noStudies")));
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Refused)) throw error;
    main.replaceChildren(note("bad", t("refused"), ` ${error.message}`));
  }
}

async function load(signal) {
  const waiting = waitingIn(main, t("cannotLoad"), signal);
  const { data } = await untilAnswered(() => ask("GET", "studies/", { signal }), waiting);
  return data.results; // a first page of them, which are many for one select already
}

document.documentElement.lang = language;
document.title = t("page");
for (const element of document.querySelectorAll("body > header [data-text]")) {
  element.textContent = t(element.dataset.text);
}
addEventListener("hashchange", async () => {
  await show();
  main.querySelector("h2")?.focus();
});
show();
