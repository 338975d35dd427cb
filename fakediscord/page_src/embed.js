// An embed, as Discord draws it.

import { cssColour } from "./colours.js";
import { h } from "./dom.js";
import { externalLink, httpUrl } from "./links.js";
import { drawMarkdown, drawTitle } from "./markdown.js";
import { drawIcon, drawImage } from "./media.js";
import { formatDate, formatMoment } from "./timestamp.js";

const FIELDS_IN_A_ROW = 3;

export function drawEmbed(embed, context) {
  return h(
    "div",
    { class: "embed", vars: { "--bar": cssColour(embed.color) } },
    h(
      "div",
      { class: "embed-body" },
      embed.provider?.name ? h("div", { class: "embed-provider" }, embed.provider.name) : null,
      embed.author?.name ? drawAuthor(embed.author) : null,
      embed.title ? drawEmbedTitle(embed, context) : null,
      embed.description ? h("div", { class: "embed-description markdown" }, drawMarkdown(embed.description, context)) : null,
      embed.fields?.length ? drawFields(embed.fields, context) : null,
    ),
    drawImage(embed.thumbnail, "embed-thumbnail", context),
    drawImage(embed.image, "embed-image", context),
    drawFooter(embed, context),
  );
}

function drawAuthor({ name, url, icon_url: icon }) {
  const link = httpUrl(url);
  return h("div", { class: "embed-author" }, drawIcon(icon), link ? externalLink(link, {}, name) : name);
}

function drawEmbedTitle({ title, url }, context) {
  const link = httpUrl(url);
  const text = drawTitle(title, context);
  return link ? externalLink(link, { class: "embed-title" }, text) : h("div", { class: "embed-title" }, text);
}

function drawFields(fields, context) {
  const rows = inRows(fields).map((row) =>
    h("div", { class: "embed-row" }, row.map((field) => drawField(field, context))),
  );
  return h("div", { class: "embed-fields" }, rows);
}

/** Inline fields that follow each other share a row; every other field has one of its own. */
function inRows(fields) {
  const rows = [];
  for (const field of fields) {
    const row = rows.at(-1);
    if (field.inline && row?.[0].inline && row.length < FIELDS_IN_A_ROW) row.push(field);
    else rows.push([field]);
  }
  return rows;
}

function drawField({ name, value }, context) {
  return h(
    "div",
    { class: "embed-field" },
    h("div", { class: "embed-field-name" }, drawTitle(name, context)),
    h("div", { class: "embed-field-value markdown" }, drawMarkdown(value, context)),
  );
}

function drawFooter({ footer, timestamp }, context) {
  if (!footer?.text && !timestamp) return null;
  const date = timestamp ? new Date(timestamp) : null;
  return h(
    "div",
    { class: "embed-footer" },
    drawIcon(footer?.icon_url),
    footer?.text ? h("span", {}, footer.text) : null,
    footer?.text && date ? h("span", { class: "dot" }, "•") : null,
    date ? h("time", { datetime: timestamp, title: formatDate(date, "F", context.locale) }, formatMoment(date, context)) : null,
  );
}
