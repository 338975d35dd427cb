// What is said above a form or a list: a refusal, or that no answer came and how to go on.

import { h } from "./dom.js";
import { t } from "./texts.js";

const PAUSE_SECONDS = 5;

export function note(kind, heading, ...parts) {
  return h("div", { class: `note ${kind}` }, h("strong", {}, heading), ...parts);
}

/** For `untilAnswered`: says so in `place`, and waits for the button, the network or a moment. */
export function waitingIn(place, text, signal) {
  const button = h("button", { type: "button", class: "plain" }, t("tryAgain"));
  const said = note("waiting", t("noAnswer"), h("p", {}, text), button);
  return (seconds) =>
    new Promise((resolve) => {
      if (!said.isConnected) {
        place.replaceChildren(said);
        said.scrollIntoView({ block: "nearest" });
      }
      button.disabled = false;
      const timer = setTimeout(goOn, Math.max(seconds, PAUSE_SECONDS) * 1000);
      const ended = new AbortController();
      function goOn() {
        clearTimeout(timer);
        ended.abort();
        button.disabled = true;
        if (!signal.aborted) resolve();
      }
      button.addEventListener("click", goOn, { signal: ended.signal });
      addEventListener("online", goOn, { signal: ended.signal });
      signal.addEventListener("abort", goOn, { signal: ended.signal });
    });
}
