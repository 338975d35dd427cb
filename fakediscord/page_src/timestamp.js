// Moments as Discord writes them: beside a name, in a footer, and for `<t:…>` in a text.

import { h } from "./dom.js";

const DAY = { year: "numeric", month: "2-digit", day: "2-digit" };
const MINUTE = { hour: "numeric", minute: "2-digit" };

const STYLES = {
  t: MINUTE,
  T: { timeStyle: "medium" },
  d: DAY,
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
  s: { ...DAY, ...MINUTE },
  S: { ...DAY, ...MINUTE, second: "2-digit" },
};

const UNITS = [
  ["year", 365 * 86400],
  ["month", 30 * 86400],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

const DAY_MS = 86_400_000;

export function formatDate(date, style, locale) {
  return new Intl.DateTimeFormat(locale, STYLES[style]).format(date);
}

/** "3:24 PM" today, "Yesterday at 3:24 PM", else the date with it. */
export function formatMoment(date, { locale, texts }) {
  const daysAgo = Math.round((midnight(new Date()) - midnight(date)) / DAY_MS);
  const time = formatDate(date, "t", locale);
  if (daysAgo === 0) return time;
  return daysAgo === 1 ? texts.yesterday(time) : formatDate(date, "s", locale);
}

/** A `<time>` for `<t:seconds:style>`, or null where no calendar has such a moment. */
export function drawTimestamp(seconds, style, { locale }) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return null;
  const relative = style === "R";
  return h(
    "time",
    { class: "timestamp", datetime: date.toISOString(), title: formatDate(date, "F", locale), "data-relative": relative ? locale : null },
    relative ? formatRelative(date, locale) : formatDate(date, style, locale),
  );
}

/** Relative moments grow older while they are looked at. */
export function refreshRelative(root) {
  for (const element of root.querySelectorAll("time[data-relative]")) {
    element.textContent = formatRelative(new Date(element.dateTime), element.dataset.relative);
  }
}

function formatRelative(date, locale) {
  const seconds = Math.round((date - Date.now()) / 1000);
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(Math.round(seconds / length), unit);
}

export function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}
