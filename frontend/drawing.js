// A message with its embed, as Discord draws it.

import { h, webAddress, webLink } from "./dom.js";
import { drawText, drawTitle } from "./markdown.js";
import { formatDate, formatMoment } from "./moments.js";

/** `message`: as of message.js; `context`: as of markdown.js; `picture`: draws the picture of an address. */
export function drawMessage({ content, embed }, context, picture) {
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
      drawEmbed(embed, context, picture),
    ),
  );
}

function drawEmbed(embed, context, picture) {
  const element = h(
    "div",
    { class: "embed" },
    h(
      "div",
      { class: "embed-body" },
      embed.author && h("div", { class: "embed-author" }, embed.author),
      embed.title && drawEmbedTitle(embed, context),
      embed.description && h("div", { class: "embed-description markdown" }, drawText(embed.description, context)),
    ),
    picture(webAddress(embed.image)),
    drawFooter(embed, context),
  );
  if (embed.color !== undefined) element.style.setProperty("--bar", `#${embed.color.toString(16).padStart(6, "0")}`);
  return element;
}

function drawEmbedTitle({ title, url }, context) {
  const address = webAddress(url);
  const words = drawTitle(title, context);
  return address ? webLink(address, { class: "embed-title" }, words) : h("div", { class: "embed-title" }, words);
}

function drawFooter({ footer, timestamp }, context) {
  return h(
    "div",
    { class: "embed-footer" },
    footer && h("span", {}, footer),
    footer && h("span", { class: "dot" }, "•"),
    drawTime(timestamp, context),
  );
}

function drawTime(date, context) {
  return h("time", { datetime: date.toISOString(), title: formatDate(date, "F", context) }, formatMoment(date, context));
}

/** Draws a picture, and the same element as long as the address is the same: it is loaded once. */
export function pictureDrawer(context) {
  let drawn = { address: null, element: null };
  return (address) => {
    if (address !== drawn.address) drawn = { address, element: address && drawPicture(address, context) };
    return drawn.element;
  };
}

function drawPicture(address, { texts }) {
  const image = h("img", { src: address, alt: texts.picture, referrerpolicy: "no-referrer" });
  const link = webLink(address, { class: "embed-image" }, image);
  const showBroken = () => {
    link.classList.add("broken");
    link.replaceChildren(texts.brokenPicture);
  };
  image.addEventListener("error", showBroken, { once: true });
  return link;
}
