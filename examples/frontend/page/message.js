// Draws a message of the bot's roughly as Discord does, from Discord's own JSON.

import { h, webAddress } from "./dom.js";
import { t } from "./texts.js";

/** `embed`: `{title, url, description, color, footer: {text}}` */
export function messageCard(embed) {
  const address = webAddress(embed.url);
  const card = h(
    "article",
    { class: "embed" },
    h("h3", { class: "embed-title" }, address ? link(address, embed.title) : embed.title),
    h("p", { class: "embed-text" }, embed.description),
    embed.footer && h("p", { class: "embed-footer" }, embed.footer.text),
  );
  card.style.setProperty("--colour", `#${(embed.color ?? 0).toString(16).padStart(6, "0")}`);
  return h("div", {}, card, h("p", { class: "hint" }, t("markdown")));
}

/** A notice as the API shows it, as such an embed. */
export function embedOf(notice, study) {
  return {
    title: notice.title,
    url: notice.url,
    description: notice.content,
    color: parseInt((study?.colour ?? "#000000").slice(1), 16),
    footer: notice.author && { text: notice.author },
  };
}

export function link(address, ...children) {
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}
