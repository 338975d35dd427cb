// Shows both sides where somebody else has changed what is being changed here (412).

import { h } from "./dom.js";
import { differing } from "./fields.js";
import { note } from "./notes.js";
import { t } from "./texts.js";

const LABELS = {
  channel_ids: "channels",
  title: "titleLabel",
  content: "content",
  author: "author",
  url: "link",
  publish_at: "time",
};

export function conflictNote(theirs, mine, studies, { takeTheirs, saveMine }) {
  const rows = differing(theirs, mine).map((name) =>
    h(
      "div",
      { class: "conflict" },
      h("b", {}, t(LABELS[name])),
      side("theirs", theirs, name, studies),
      side("yours", mine, name, studies),
    ),
  );
  return note(
    "bad",
    t("conflict"),
    h("p", {}, t("conflictHint")),
    rows,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "plain", onclick: takeTheirs }, t("takeTheirs")),
      h("button", { type: "button", class: "plain", onclick: saveMine }, t("saveMine")),
    ),
  );
}

function side(whose, values, name, studies) {
  const channels = studies.flatMap((study) => study.channels);
  const said =
    name === "channel_ids"
      ? values[name].map((id) => `#${channels.find((one) => one.id === id)?.name ?? id}`).join(", ")
      : values[name];
  return h("div", { class: whose }, h("small", {}, t(whose)), h("p", {}, said || t("empty")));
}
