// Moments on the study's clock, in the forms in which Discord writes them.

const DAY_MS = 86_400_000;
const DAY = { year: "numeric", month: "2-digit", day: "2-digit" };
const MINUTE = { hour: "numeric", minute: "2-digit" };
// By the letter at the end of `<t:seconds:letter>`.
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

export function formatDate(date, style, { locale, zone }) {
  return new Intl.DateTimeFormat(locale, { ...STYLES[style], timeZone: zone }).format(date);
}

export function formatRelative(date, { locale }) {
  const seconds = Math.round((date - Date.now()) / 1000);
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(Math.round(seconds / length), unit);
}

/** "3:24 PM" today, "Yesterday at 3:24 PM", else the date with it: beside a name and in a footer. */
export function formatMoment(date, context) {
  const day = (moment) => formatDate(moment, "d", context);
  const time = formatDate(date, "t", context);
  if (day(date) === day(new Date())) return time;
  if (day(date) === day(new Date(Date.now() - DAY_MS))) return context.texts.yesterday.replace("{time}", time);
  return formatDate(date, "s", context);
}

/** The moment at which the clock in `zone` shows `text`, such as "2026-03-02T20:00"; null where that is none. */
export function momentAt(text, zone) {
  const asUtc = Date.parse(`${text}Z`);
  return Number.isNaN(asUtc) ? null : new Date(asUtc - offset(asUtc, zone));
}

/** What the clock in `zone` shows at a moment, as "2026-03-02T20:00". */
export function clockAt(date, zone) {
  return new Date(date.getTime() + offset(date.getTime(), zone)).toISOString().slice(0, 16);
}

/** By how many milliseconds the clock in `zone` is ahead of UTC. */
function offset(moment, zone) {
  // Swedish writes dates as ISO 8601 does.
  const clock = new Intl.DateTimeFormat("sv", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }).format(moment);
  return Date.parse(`${clock.replace(" ", "T")}Z`) - Math.floor(moment / 1000) * 1000;
}
