// Discord's markdown as elements: the library reads it, this file draws it, and no HTML is ever parsed.

import library from "@cloudrac3r/discord-markdown";
import { h, webAddress, webLink } from "./dom.js";
import { formatDate, formatRelative } from "./moments.js";

const { rules, markdownEngine } = library;

const startsLine = (state) => !state.prevCapture || state.prevCapture[0].endsWith("\n");

/** A link within a link's words stays text. */
const outsideLinks = (rule) => ({
  ...rule,
  match: (source, state, before) => (state.inLink ? null : rule.match(source, state, before)),
});

// Where the library draws otherwise than Discord does.
const TEXT_RULES = {
  ...rules,
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
  link: outsideLinks({
    ...rules.link,
    parse: (capture, parse, state) => ({
      ...rules.link.parse(capture, parse, { ...state, inLink: true }),
      source: capture[0],
    }),
  }),
  url: outsideLinks(rules.url),
  autolink: outsideLinks(rules.autolink),
  discordChannelLink: outsideLinks(rules.discordChannelLink),
};
const TITLE_RULE_NAMES = ["escape", "em", "strong", "u", "strike", "inlineCode", "spoiler", "discordEmoji", "emoticon", "text", "br"];
const TITLE_RULES = Object.fromEntries(TITLE_RULE_NAMES.map((name) => [name, rules[name]]));

const parseText = markdownEngine.parserFor(TEXT_RULES);
const parseTitle = markdownEngine.parserFor(TITLE_RULES);

// No person nests deeper; a browser's layout suffers soon after.
const DEEPEST = 60;

/** A message's content or an embed's description. `context`: `locale`, `zone`, `texts`, `channels`, `roles`. */
export const drawText = (source, context) => draw(source, parseText, context);

/** An embed's title, where Discord draws neither links, mentions nor blocks. */
export const drawTitle = (source, context) => draw(source, parseTitle, context);

function draw(source, parse, context) {
  try {
    return drawAll(parse(source, { inline: true, inQuote: false, inEmphasis: false }), { context, depth: 0 });
  } catch (error) {
    // Some short texts nest deeper than the parser's stack reaches: plain words beat an empty preview.
    if (error instanceof RangeError) return [source];
    throw error;
  }
}

function drawAll(nodes, { context, depth }) {
  if (depth > DEEPEST) throw new RangeError(`nested deeper than ${DEEPEST}`);
  return [nodes].flat().map((node) => DRAWERS[node.type](node, { context, depth: depth + 1 }));
}

const within = (tag, attributes) => (node, inner) => h(tag, attributes, drawAll(node.content, inner));
const mention = (text) => h("span", { class: "mention" }, text);

const DRAWERS = {
  text: (node) => node.content,
  br: () => h("br"),
  newline: () => h("br"),
  strong: within("strong"),
  em: within("em"),
  u: within("u"),
  strike: within("s"),
  small: within("small", { class: "subtext" }),
  blockQuote: within("blockquote"),
  inlineCode: (node) => h("code", {}, node.content.trim()),
  codeBlock: (node) => h("pre", {}, h("code", {}, node.content)),
  // One level lower than written: the page has a first heading already.
  heading: (node, inner) => h(`h${node.level + 1}`, {}, drawAll(node.content, inner)),
  list: drawList,
  link: drawLink,
  autolink: drawLink,
  url: drawLink,
  spoiler: drawSpoiler,
  timestamp: drawTimestamp,
  // Discord knows the names of people; the desk does not.
  discordUser: (node, { context }) => mention(`@${context.texts.user}`),
  discordRole: (node, { context }) => mention(`@${context.roles[node.id] ?? context.texts.role}`),
  discordChannel: drawChannel,
  discordChannelLink: drawChannel,
  discordCommand: (node) => mention(`/${node.name}`),
  discordEmoji: (node) => `:${node.name}:`,
  discordEveryone: () => mention("@everyone"),
  discordHere: () => mention("@here"),
};

function drawList(node, inner) {
  const items = node.items.map((item) => h("li", {}, drawAll(item, inner)));
  return node.ordered ? h("ol", { start: node.start }, items) : h("ul", {}, items);
}

function drawLink(node, inner) {
  const address = webAddress(node.target);
  if (!address || node.content.length === 0) return node.source ?? node.target;
  return webLink(address, {}, drawAll(node.content, inner));
}

function drawChannel(node, { context }) {
  return mention(`#${context.channels[node.id] ?? context.texts.channel}`);
}

function drawTimestamp({ seconds, style, source }, { context }) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return source;
  const words = style === "R" ? formatRelative(date, context) : formatDate(date, style, context);
  return h("time", { class: "timestamp", datetime: date.toISOString(), title: formatDate(date, "F", context) }, words);
}

/** Covered until it is pressed; meanwhile its words are there for nobody. */
function drawSpoiler(node, inner) {
  const words = h("span", { inert: "" }, drawAll(node.parsed, inner));
  const cover = h("span", { class: "spoiler", role: "button", tabindex: 0, "aria-label": inner.context.texts.spoiler }, words);
  const uncover = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    cover.replaceWith(h("span", { class: "spoiler revealed" }, h("span", {}, ...words.childNodes)));
  };
  cover.addEventListener("click", uncover);
  cover.addEventListener("keydown", uncover);
  return cover;
}
