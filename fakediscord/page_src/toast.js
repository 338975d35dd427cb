// Tells of a message in a channel that is not being looked at: a note in the corner, and the count in the title.

import { drawAvatar } from "./avatar.js";
import { h } from "./dom.js";
import { drawIconButton } from "./icons.js";
import { authorName } from "./names.js";
import { hrefTo } from "./route.js";

const SHOWN_MS = 6000;

let timer;

/** Shows the latest alone, so that a burst of messages does not cover the page. */
export function showToast(parent, { guild, channel, message }, { texts }) {
  const close = () => parent.replaceChildren();
  const link = h(
    "a",
    { href: hrefTo(guild.id, channel.id), onclick: close },
    drawAvatar(message.author, guild.members.find(({ id }) => id === message.author.id)?.avatar_color),
    h(
      "span",
      {},
      h("span", { class: "toast-place" }, texts.toast(channel.name, guild.name)),
      h("span", { class: "toast-text" }, `${authorName(message)}: ${gist(message)}`),
    ),
  );
  show(parent, link, drawIconButton("close", texts.closeToast, { onclick: close }));
}

export function showProblem(parent, text) {
  show(parent, h("p", {}, text));
}

function show(parent, ...content) {
  parent.replaceChildren(h("div", { class: "toast" }, content));
  closeLater(parent);
}

/** The note stays while it is pointed at or has the focus, because some people read slowly. */
function closeLater(parent) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (parent.matches(":hover, :focus-within")) closeLater(parent);
    else parent.replaceChildren();
  }, SHOWN_MS);
}

function gist({ content, embeds }) {
  const embed = embeds?.[0];
  return content || embed?.title || embed?.description || "…";
}

export function showTitle(unread, { guild, channel }, { texts }) {
  const place = [channel && `#${channel.name}`, guild?.name, texts.pageTitle].filter(Boolean).join(" · ");
  document.title = unread ? `(${unread}) ${place}` : place;
}
