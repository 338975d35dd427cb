// Draws a message of the bot's roughly as Discord does, from Discord's own JSON.

import { h, webAddress } from "./dom.js";
import { moment, t } from "./texts.js";

/** `embed`: `{author: {name}, title, url, description, color, timestamp}` */
export function messageCard(embed) {
  const address = webAddress(embed.url);
  const card = h(
    "article",
    { class: "embed" },
    embed.author && h("p", { class: "embed-author" }, embed.author.name),
    h("h3", { class: "embed-title" }, address ? link(address, embed.title) : embed.title),
    h("p", { class: "embed-text" }, embed.description),
    embed.timestamp && h("p", { class: "embed-footer" }, moment(embed.timestamp)),
  );
  card.style.setProperty("--colour", `#${(embed.color ?? 0).toString(16).padStart(6, "0")}`);
  return h("div", {}, card, h("p", { class: "hint" }, t("markdown")));
}

/** A notice as the API shows it, as such an embed. */
export function embedOf(notice, study) {
  return {
    author: notice.author && { name: notice.author },
    title: notice.title,
    url: notice.url,
    description: notice.content,
    color: parseInt((study?.colour ?? "#000000").slice(1), 16),
    timestamp: notice.publish_at,
  };
}

export function link(address, ...children) {
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}
