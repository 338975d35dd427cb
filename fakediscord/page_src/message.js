// A message of Discord's REST API as an element.

import { drawAvatar } from "./avatar.js";
import { drawComponents } from "./buttons.js";
import { h } from "./dom.js";
import { drawEmbed } from "./embed.js";
import { drawSign } from "./icons.js";
import { externalLink, httpUrl } from "./links.js";
import { drawMarkdown } from "./markdown.js";
import { drawImage } from "./media.js";
import { authorName } from "./names.js";
import { formatDate, formatMoment } from "./timestamp.js";

const SUPPRESS_EMBEDS = 1 << 2;
const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;

/**
 * `context` is what a message needs to know of the place it stands in: `locale` and `texts` (texts.js), and `user(id)`,
 * `role(id)`, `channel(id)`, each giving `{name, colour?, href?}` or undefined.
 * `actions` is what can be done with it, each part of it optional: `press`, `onPress` (buttons.js), `onDismiss`.
 */
export function drawMessage(message, context, actions = {}) {
  return h(
    "article",
    { class: messageClass(message), "data-message-id": message.id, "aria-label": label(message, context) },
    drawAvatar(message.author, context.user(message.author.id)?.colour),
    drawHeader(message, context),
    h("div", { class: "message-body" }, drawBody(message, context, actions)),
  );
}

export function isEphemeral(message) {
  return Boolean(message.flags & EPHEMERAL);
}

function messageClass(message) {
  return `message${isEphemeral(message) ? " ephemeral" : ""}`;
}

function label(message, context) {
  return `${authorName(message)}, ${formatMoment(new Date(message.timestamp), context)}`;
}

function drawHeader(message, context) {
  const { author, timestamp } = message;
  const date = new Date(timestamp);
  return h(
    "div",
    { class: "message-header" },
    h("span", { class: "author" }, authorName(message)),
    author.bot || message.webhook_id ? h("span", { class: "app-badge" }, context.texts.app) : null,
    h("time", { datetime: timestamp, title: formatDate(date, "F", context.locale) }, formatMoment(date, context)),
  );
}

function drawBody(message, context, { press, onPress, onDismiss }) {
  const embeds = message.flags & SUPPRESS_EMBEDS ? [] : (message.embeds ?? []);
  const edited = message.edited_timestamp ? drawEdited(message.edited_timestamp, context) : null;
  return [
    drawContent(message, edited, context),
    ...(message.attachments ?? []).map((attachment) => drawAttachment(attachment, context)),
    ...embeds.map((embed) => drawEmbed(embed, context)),
    message.content ? null : edited,
    ...drawComponents(message.components ?? [], context, press, onPress ?? (() => {})),
    isEphemeral(message) ? drawEphemeralNote(context, onDismiss) : null,
  ];
}

function drawContent(message, edited, context) {
  if (message.flags & LOADING) return h("div", { class: "content note" }, context.texts.thinking);
  if (!message.content) return null;
  return h("div", { class: "content markdown" }, drawMarkdown(message.content, context), edited);
}

function drawEdited(timestamp, { texts, locale }) {
  const time = formatDate(new Date(timestamp), "F", locale);
  return h("time", { class: "edited", datetime: timestamp, title: texts.editedAt(time) }, texts.edited);
}

function drawAttachment(attachment, context) {
  const isImage = attachment.content_type?.startsWith("image/");
  const url = httpUrl(attachment.url);
  if (isImage && url) return drawImage(attachment, "attachment", context);
  const name = displayedName(attachment);
  return h(
    "div",
    { class: "attachment-file" },
    url ? externalLink(url, {}, name) : name,
    h("span", { class: "attachment-size" }, formatSize(attachment.size)),
  );
}

/** A file name is ASCII; what else was in it is in the title, without the extension. */
function displayedName({ filename, title }) {
  return title ? `${title}${/\.[^.]*$/.exec(filename)?.[0] ?? ""}` : filename;
}

function formatSize(bytes) {
  const unit = ["B", "KB", "MB"].at(bytes < 1024 ? 0 : bytes < 1024 ** 2 ? 1 : 2);
  return unit === "B" ? `${bytes} B` : `${(bytes / (unit === "KB" ? 1024 : 1024 ** 2)).toFixed(2)} ${unit}`;
}

function drawEphemeralNote({ texts }, onDismiss) {
  return h(
    "p",
    { class: "ephemeral-note" },
    drawSign("eye"),
    h("span", {}, texts.ephemeral),
    onDismiss ? h("span", { "aria-hidden": "true" }, "•") : null,
    onDismiss ? h("button", { type: "button", class: "link-button", "data-focus": "dismiss", onclick: onDismiss }, texts.dismiss) : null,
  );
}
