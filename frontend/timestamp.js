// The picker of a moment that Discord shows each reader by the clock beside her. Loaded when it is first opened.

import { h } from "./dom.js";
import { clockAt, formatDate, formatRelative, momentAt } from "./moments.js";

const STYLES = ["F", "f", "D", "d", "t", "R"];
const HOUR_MS = 3_600_000;

/** `zone`: the study's, in which moments are written. `pick` is told the text for the moment. */
export function draw({ locale, zone, texts, moment, pick }) {
  const when = h("input", { type: "datetime-local", id: "timestamp-moment", class: "timestamp-field" });
  const style = h("select", { id: "timestamp-style", class: "timestamp-field" });
  const add = h("button", { type: "button", class: "deed" }, texts.add);
  const chosen = () => momentAt(when.value, zone);

  const show = () => {
    const date = chosen();
    add.disabled = !date;
    if (!date) return;
    const picked = style.value || STYLES[0];
    const shown = (letter) => (letter === "R" ? formatRelative(date, { locale }) : formatDate(date, letter, { locale, zone }));
    style.replaceChildren(...STYLES.map((letter) => h("option", { value: letter, selected: letter === picked }, shown(letter))));
  };
  const insert = () => {
    const date = chosen();
    if (date) pick(`<t:${Math.floor(date / 1000)}:${style.value}>`);
  };

  when.value = moment || clockAt(new Date(Math.ceil((Date.now() + 1) / HOUR_MS) * HOUR_MS), zone);
  when.addEventListener("input", show);
  // Enter would send the whole form off.
  when.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    insert();
  });
  add.addEventListener("click", insert);
  show();
  return h(
    "div",
    { class: "timestamp", role: "group", "aria-label": texts.label },
    h("label", { for: when.id }, `${texts.moment} (${zone})`),
    when,
    h("label", { for: style.id }, texts.style),
    style,
    h("p", { class: "quiet" }, texts.help),
    add,
  );
}
