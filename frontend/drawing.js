// A message with its embed, as Discord draws it.

import { h, webAddress, webLink } from "./dom.js";
import { drawText, drawTitle } from "./markdown.js";
import { formatDate, formatMoment } from "./moments.js";

const SHOWN_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const KIB = 1024;

/** `message`: as of message.js; `context`: as of markdown.js; `picture`: draws the picture of an address. */
export function drawMessage({ content, files, embed }, context, picture) {
  return h(
    "article",
    { class: "message" },
    h("div", { class: "avatar", "aria-hidden": "true" }, [...context.texts.bot][0]),
    h(
      "div",
      { class: "message-header" },
      h("span", { class: "author" }, context.texts.bot),
      h("span", { class: "app-badge" }, context.texts.app),
      drawTime(embed.timestamp, context),
    ),
    h(
      "div",
      { class: "message-body" },
      content && h("div", { class: "content markdown" }, drawText(content, context)),
      ...files.map((file) => drawFile(file, picture)),
      drawEmbed(embed, context, picture),
    ),
  );
}

function drawFile({ name, size, type, url }, picture) {
  if (SHOWN_TYPES.includes(type)) return picture(webAddress(url), "attachment");
  const link = webLink(url, {}, name);
  return h("div", { class: "attachment-file" }, link, h("span", { class: "attachment-size" }, formatSize(size)));
}

function formatSize(bytes) {
  if (bytes < KIB) return `${bytes} B`;
  return bytes < KIB * KIB ? `${(bytes / KIB).toFixed(2)} KB` : `${(bytes / KIB / KIB).toFixed(2)} MB`;
}

function drawEmbed(embed, context, picture) {
  const element = h(
    "div",
    { class: "embed" },
    h(
      "div",
      { class: "embed-body" },
      embed.title && drawEmbedTitle(embed, context),
      embed.description && h("div", { class: "embed-description markdown" }, drawText(embed.description, context)),
      embed.fields.length > 0 && h("div", { class: "embed-fields" }, embed.fields.map((field) => drawField(field, context))),
    ),
    picture(webAddress(embed.image), "embed-image"),
    embed.footer && h("div", { class: "embed-footer" }, h("span", {}, embed.footer)),
  );
  if (embed.color !== undefined) element.style.setProperty("--bar", `#${embed.color.toString(16).padStart(6, "0")}`);
  return element;
}

function drawEmbedTitle({ title, url }, context) {
  const address = webAddress(url);
  const words = drawTitle(title, context);
  return address ? webLink(address, { class: "embed-title" }, words) : h("div", { class: "embed-title" }, words);
}

/** In a row of its own. Discord gives its name the look that a message's author has. */
function drawField({ name, value }, context) {
  return h(
    "div",
    { class: "embed-row" },
    h(
      "div",
      { class: "embed-field" },
      h("div", { class: "author" }, drawTitle(name, context)),
      h("div", { class: "markdown" }, drawText(value, context)),
    ),
  );
}

function drawTime(date, context) {
  return h("time", { datetime: date.toISOString(), title: formatDate(date, "F", context) }, formatMoment(date, context));
}

/** Draws a picture, and the same element as long as it is there: it is loaded once. */
export function pictureDrawer(context) {
  const drawn = new Map();
  return (address, className) => {
    const key = `${className} ${address}`;
    if (address && !drawn.has(key)) drawn.set(key, drawPicture(address, className, context));
    return drawn.get(key) ?? null;
  };
}

function drawPicture(address, className, { texts }) {
  const image = h("img", { src: address, alt: texts.picture, referrerpolicy: "no-referrer" });
  const link = webLink(address, { class: className }, image);
  const showBroken = () => {
    link.classList.add("broken");
    link.replaceChildren(texts.brokenPicture);
  };
  image.addEventListener("error", showBroken, { once: true });
  return link;
}
