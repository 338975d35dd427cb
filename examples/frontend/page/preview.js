// Shows what the notice would be, as the API foresees it, while it is being written.

import { ask, NoAnswerYet, Refused } from "./api.js";
import { h } from "./dom.js";
import { messageCard } from "./message.js";
import { moment, t } from "./texts.js";

const PAUSE_MILLISECONDS = 400;

/**
 * `body()` is what would be posted, `isPublished()` whether it is there already, and
 * `judged(errors)` hears what would be refused.
 */
export function previewIn(place, { body, isPublished, judged, signal }) {
  let timer = 0;
  let latest = new AbortController();
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    latest.abort();
  });

  async function look() {
    latest.abort();
    latest = new AbortController();
    const asked = body();
    try {
      const options = { body: asked, signal: latest.signal };
      const { data } = await ask("POST", "notices/preview/", options);
      place.replaceChildren(...foreseen(data), ...(isPublished() ? [] : effects(data, asked)));
      place.classList.remove("stale");
      judged([]);
    } catch (error) {
      if (error instanceof Refused) {
        judged(error.errors);
      } else if (!(error instanceof NoAnswerYet)) {
        throw error;
      }
      place.classList.add("stale");
    }
  }

  return {
    look,
    lookSoon() {
      clearTimeout(timer);
      timer = setTimeout(look, PAUSE_MILLISECONDS);
    },
  };
}

function foreseen({ message, channels }) {
  return [
    messageCard(message.embeds[0]),
    h("ul", { class: "foreseen" }, channels.map(channelLine)),
  ];
}

function effects({ pings }, { publish_at }) {
  return [
    h("p", {}, publish_at ? t("at", { moment: moment(publish_at) }) : t("now")),
    h("p", {}, pings.who ? t("pings", pings) : t("pingsNobody")),
  ];
}

function channelLine({ channel_id, channel_name, problems }) {
  return h(
    "li",
    { class: problems.length ? "bad" : "good" },
    h("b", {}, `#${channel_name || channel_id}`),
    problems.length ? problems.map((problem) => h("span", {}, problem)) : h("span", {}, t("willShow")),
  );
}
