// Discord's markdown as DOM nodes. The library reads it, this file draws it: no HTML text is ever parsed, so nothing can be injected.

import library from "@cloudrac3r/discord-markdown";
import { h } from "./dom.js";
import { externalLink, httpUrl } from "./links.js";
import { drawTimestamp } from "./timestamp.js";

const { rules, markdownEngine } = library;

const unlessInLink = (rule) => ({
  ...rule,
  match: (source, state, before) => (state.inLink ? null : rule.match(source, state, before)),
});

const startsLine = (state) => !state.prevCapture || state.prevCapture[0].endsWith("\n");

const DESCRIPTION_RULES = {
  ...rules,
  // The library lets a line break after a block become an empty line; Discord does not.
  codeBlock: {
    ...rules.codeBlock,
    match: markdownEngine.inlineRegex(/^```(([a-z0-9_+.#-]+?)\n+)?\n*([^]+?)\n*```\n?/i),
  },
  small: {
    ...rules.small,
    match: (source, state) => (startsLine(state) ? /^-# +([^\n]+)(?:\n|$)/.exec(source) : null),
    parse: ([, text], parse, state) => ({ content: parse(text.trim(), state) }),
  },
  timestamp: {
    order: rules.discordUser.order,
    match: (source) => /^<t:(-?\d{1,13})(?::([tTdDfFRsS]))?>/.exec(source),
    parse: ([source, seconds, style]) => ({ source, seconds: Number(seconds), style: style ?? "f" }),
  },
  link: unlessInLink({
    ...rules.link,
    parse: (capture, parse, state) => ({
      ...rules.link.parse(capture, parse, { ...state, inLink: true }),
      source: capture[0],
    }),
  }),
  url: unlessInLink(rules.url),
  autolink: unlessInLink(rules.autolink),
  discordChannelLink: unlessInLink(rules.discordChannelLink),
};

const pick = (...names) => Object.fromEntries(names.map((name) => [name, rules[name]]));
const TITLE_RULES = pick("escape", "em", "strong", "u", "strike", "inlineCode", "spoiler", "discordEmoji", "emoticon", "text", "br");

const parseDescription = markdownEngine.parserFor(DESCRIPTION_RULES);
const parseTitle = markdownEngine.parserFor(TITLE_RULES);

// Deeper nesting slows the browser's layout down, and no person writes it.
const DEEPEST = 60;

/** A message's content, an embed's description or field value. */
export const drawMarkdown = (source, context) => draw(source, parseDescription, context);

/** An embed's title or a field's name, where Discord draws neither links, mentions nor blocks. */
export const drawTitle = (source, context) => draw(source, parseTitle, context);

function draw(source, parse, context) {
  try {
    const nodes = parse(source, { inline: true, inQuote: false, inEmphasis: false });
    return fragment(drawNodes(nodes, { context, depth: 0 }));
  } catch (error) {
    // Some short texts nest deeper than the stack. They are shown as they are, so that the page survives.
    if (error instanceof RangeError) return fragment([source]);
    throw error;
  }
}

function fragment(nodes) {
  const result = document.createDocumentFragment();
  result.append(...nodes);
  return result;
}

function drawNodes(nodes, { context, depth }) {
  if (depth > DEEPEST) throw new RangeError(`nested deeper than ${DEEPEST}`);
  const inner = { context, depth: depth + 1 };
  return [nodes].flat().map((node) => DRAWERS[node.type](node, inner));
}

const wrap = (tag, attributes) => (node, inner) => h(tag, attributes, drawNodes(node.content, inner));
const mention = (text, attributes = {}) => h("span", { class: "mention", ...attributes }, text);

const DRAWERS = {
  text: (node) => node.content,
  br: () => h("br"),
  newline: () => h("br"),
  strong: wrap("strong"),
  em: wrap("em"),
  u: wrap("u"),
  strike: wrap("s"),
  small: wrap("small", { class: "subtext" }),
  blockQuote: wrap("blockquote"),
  inlineCode: (node) => h("code", {}, node.content.trim()),
  codeBlock: (node) => h("pre", {}, h("code", {}, node.content)),
  // One level lower than written: the page's own heading is the first.
  heading: (node, inner) => h(`h${node.level + 1}`, {}, drawNodes(node.content, inner)),
  list: drawList,
  link: drawLink,
  autolink: drawLink,
  url: drawLink,
  spoiler: drawSpoiler,
  timestamp: (node, { context }) => drawTimestamp(node.seconds, node.style, context) ?? node.source,
  discordUser: (node, { context }) => mention(`@${context.user(node.id)?.name ?? context.texts.unknownUser}`),
  discordRole: drawRole,
  discordChannel: drawChannel,
  discordChannelLink: drawChannel,
  discordCommand: (node) => mention(`/${node.name}`),
  // Custom emoji live on Discord's own servers, which this page never asks.
  discordEmoji: (node) => `:${node.name}:`,
  discordEveryone: () => mention("@everyone"),
  discordHere: () => mention("@here"),
};

function drawList(node, inner) {
  const items = node.items.map((item) => h("li", {}, drawNodes(item, inner)));
  return h(node.ordered ? "ol" : "ul", { start: node.ordered ? node.start : null }, items);
}

function drawLink(node, inner) {
  const url = httpUrl(node.target);
  if (!url || node.content.length === 0) return node.source ?? node.target;
  return externalLink(url, {}, drawNodes(node.content, inner));
}

function drawRole(node, { context }) {
  const role = context.role(node.id);
  return mention(`@${role?.name ?? context.texts.unknownRole}`, { vars: { "--role": role?.colour } });
}

function drawChannel(node, { context }) {
  const channel = context.channel(node.id);
  if (!channel?.href) return mention(`#${channel?.name ?? context.texts.unknownChannel}`);
  return h("a", { class: "mention", href: channel.href }, `#${channel.name}`);
}

function drawSpoiler(node, inner) {
  const content = h("span", { inert: true }, drawNodes(node.parsed, inner));
  const cover = h("span", { class: "spoiler", role: "button", tabindex: 0, "aria-label": inner.context.texts.spoiler }, content);
  const reveal = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    stop.abort();
    uncover(cover, content);
  };
  const stop = new AbortController();
  for (const type of ["click", "keydown"]) cover.addEventListener(type, reveal, { signal: stop.signal });
  return cover;
}

function uncover(cover, content) {
  content.inert = false;
  cover.classList.add("revealed");
  cover.removeAttribute("role");
  cover.removeAttribute("aria-label");
  cover.tabIndex = -1;
}
