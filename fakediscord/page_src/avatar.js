// Draws a person, bot or server as initials on a colour, because the pictures are on Discord's own servers.

import { cssColour, readableOn } from "./colours.js";
import { h } from "./dom.js";
import { displayName } from "./names.js";

const FALLBACK_COLOURS = ["#5865f2", "#757e8a", "#3a7e59", "#b5671c", "#c03a3e", "#a83f86"];

/** Hidden from screen readers: the name always stands beside it. */
export function drawAvatar(person, colour) {
  const background = cssColour(colour) ?? FALLBACK_COLOURS[Number(BigInt(person.id) % BigInt(FALLBACK_COLOURS.length))];
  const vars = { "--avatar": background, "--initials": readableOn(background) };
  return h("span", { class: "avatar", "aria-hidden": "true", vars }, initials(displayName(person)));
}

function initials(name) {
  const words = name.trim().split(/\s+/).slice(0, 2);
  return words.map((word) => [...word][0] ?? "").join("").toUpperCase();
}
