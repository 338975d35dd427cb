// The form as the message that the bot will send: field by field what notices/delivery/message.py makes of a notice.

import { momentAt } from "./moments.js";

/** `values`: what is in the form by name; `attached`: as of attached.js; `study`: `page.studies[…]`. */
export function messageOf(values, attached, study, page) {
  const filled = (name) => (values[name] ?? "").trim();
  return {
    content: study?.pings[values.ping] ?? "",
    files: attached.files,
    embed: {
      title: filled("title"),
      url: filled("url"),
      description: textOf(filled("content").replaceAll("\r\n", "\n"), filled("change"), study),
      fields: fieldsOf(filled("place"), study),
      color: study?.colour,
      image: attached.picture?.url ?? filled("image"),
      footer: footerOf(filled("author"), study),
      timestamp: publishedAt(filled("publish_at"), study, page),
    },
  };
}

/** What readers are told of a change stands first. */
function textOf(content, change, study) {
  return change && study ? `${study.change.replace("{what}", () => change)}\n\n${content}` : content;
}

function fieldsOf(place, study) {
  return place && study ? [{ name: study.place, value: place }] : [];
}

function footerOf(author, study) {
  const byline = author && study?.byline.replace("{name}", () => author);
  return [byline, study?.footer].filter(Boolean).join(" · ");
}

/** Published with no moment of its own it is published now. */
function publishedAt(picked, study, page) {
  const text = page.published ?? picked;
  return (text && momentAt(text, study?.zone)) || new Date();
}
