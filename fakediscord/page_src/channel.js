// The middle: the channel's header and its messages, newest at the bottom.

import { h, keep } from "./dom.js";
import { drawIconButton, drawSign } from "./icons.js";
import { drawMessage, isEphemeral } from "./message.js";
import { missingPermissions } from "./permissions.js";
import { drawChannelSign, isThread } from "./sidebar.js";
import { formatDate, midnight } from "./timestamp.js";

const SUPPRESS_EMBEDS = 1 << 2;
const GROUP_MS = 7 * 60_000;

/** `onArchive(channel)` archives a thread, or opens it. */
export function drawHeader(parent, channel, { texts }, onArchive) {
  keep(parent, [
    { key: "name", deps: [channel], draw: () => drawName(channel, texts) },
    { key: "topic", deps: [channel], draw: () => drawTopic(channel, texts, onArchive) },
  ]);
}

function drawName(channel, texts) {
  return h("h1", {}, channel ? drawChannelSign(channel, texts) : null, channel?.name ?? texts.pageTitle);
}

function drawTopic(channel, texts, onArchive) {
  if (channel && isThread(channel)) return drawThreadState(channel, texts, onArchive);
  const missing = channel ? missingPermissions(channel, texts) : "";
  if (missing) return h("p", { class: "missing" }, drawSign("warning"), missing);
  return h("p", { class: "topic", title: channel?.topic }, channel?.topic ?? "");
}

function drawThreadState(thread, texts, onArchive) {
  const { archived } = thread.thread_metadata;
  const label = archived ? texts.open : texts.archive;
  const button = h("button", { type: "button", class: "link-button", onclick: () => onArchive(thread) }, label);
  return h("p", { class: "topic" }, archived ? `${texts.archived} ` : "", button);
}

/**
 * The list of a channel, new for each channel: a filled region that replaces another is not read out, while what is
 * added to it later is.
 */
export function drawLog(log, channel, { texts }) {
  const list = h("ol", { class: "message-list" });
  const start = channel ? texts.channelStart(channel.name) : texts.noChannel;
  log.setAttribute("aria-label", channel ? texts.messages(channel.name) : texts.channels);
  log.replaceChildren(h("div", { class: "log-content" }, h("p", { class: "log-start" }, start), list));
  list.addEventListener("keydown", moveBetweenMessages);
  list.addEventListener("focusin", ({ target }) => makeTabStop(list, target.closest(".message")));
  return list;
}

/** `context` also has the `guild` it speaks of. `actions`: `personId`, `presses`, `onPress(message, customId)`, `onDismiss(message)`, `onDelete(message)`, `onEmbeds(message, flags)`. */
export function drawMessages(list, messages, context, actions) {
  keep(list, messages.flatMap((message, index) => drawItems(message, messages[index - 1], context, actions)));
  const stop = list.querySelector('.message[tabindex="0"]');
  if (!stop || !list.contains(document.activeElement)) makeTabStop(list, list.querySelector("li:last-child .message"));
}

function drawItems(message, before, context, actions) {
  const newDay = !before || dayOf(before) !== dayOf(message);
  const follows = !newDay && continues(message, before);
  const press = actions.presses.get(message.id);
  const item = {
    key: message.id,
    deps: [message, press, follows, actions.personId, context.guild],
    draw: () => drawItem(message, follows, press, context, actions),
  };
  return newDay ? [drawDay(message, context), item] : [item];
}

function drawItem(message, follows, press, context, actions) {
  const ephemeral = isEphemeral(message);
  const article = drawMessage(message, context, {
    press,
    onPress: (customId) => actions.onPress(message, customId),
    onDismiss: () => actions.onDismiss(message),
  });
  article.tabIndex = -1;
  if (pings(message, actions.personId)) article.classList.add("pinging");
  if (!ephemeral) article.append(drawToolbar(message, context, actions));
  return h("li", { class: follows ? "follows" : null }, article);
}

function drawToolbar(message, { texts }, { onDelete, onEmbeds }) {
  const attributes = { class: "icon-button delete", "data-focus": "delete", onclick: () => onDelete(message) };
  const buttons = [drawIconButton("trash", texts.deleteMessage, attributes)];
  const suppressed = message.flags & SUPPRESS_EMBEDS;
  if (suppressed || message.embeds?.length) {
    const label = suppressed ? texts.bringBackEmbeds : texts.removeEmbeds;
    const flags = suppressed ? 0 : SUPPRESS_EMBEDS;
    buttons.push(drawIconButton("embed", label, { "data-focus": "embeds", onclick: () => onEmbeds(message, flags) }));
  }
  return h("div", { class: "toolbar" }, ...buttons);
}

function drawDay(message, { locale }) {
  const day = dayOf(message);
  const date = new Date(message.timestamp);
  const time = () => h("time", { datetime: message.timestamp }, formatDate(date, "D", locale));
  return { key: `day-${day}`, deps: [], draw: () => h("li", { class: "day" }, time()) };
}

function dayOf(message) {
  return midnight(new Date(message.timestamp)).getTime();
}

function continues(message, before) {
  const sameAuthor = message.author.id === before.author.id && isEphemeral(message) === isEphemeral(before);
  return sameAuthor && new Date(message.timestamp) - new Date(before.timestamp) < GROUP_MS;
}

function pings({ mention_everyone: everyone, mentions }, personId) {
  return Boolean(everyone || mentions?.some(({ id }) => id === personId));
}

/** One message at a time can be reached by Tab; the arrow keys move among them. */
function makeTabStop(list, article) {
  for (const other of list.querySelectorAll('.message[tabindex="0"]')) other.tabIndex = -1;
  if (article) article.tabIndex = 0;
}

function moveBetweenMessages(event) {
  const articles = [...event.currentTarget.querySelectorAll(".message")];
  const here = articles.indexOf(event.target);
  const targets = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: articles.length - 1 };
  const target = here < 0 ? null : articles[targets[event.key]];
  if (!target) return;
  event.preventDefault();
  target.focus();
}
