// Discord's colours are numbers; style sheets want text.

/** "#rrggbb" for a number, the text itself for one already written so, undefined for none. */
export function cssColour(colour) {
  if (typeof colour === "number") return `#${colour.toString(16).padStart(6, "0")}`;
  return /^#[0-9a-f]{6}$/i.test(colour ?? "") ? colour : undefined;
}

/** Black or white, whichever can be read on the colour (WCAG's relative luminance). */
export function readableOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((start) => linear(parseInt(colour.slice(start, start + 2), 16) / 255));
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.18 ? "#000000" : "#ffffff";
}

function linear(channel) {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}
