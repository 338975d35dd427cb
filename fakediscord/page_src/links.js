// Where a link may lead: the web, in a tab of its own, and nowhere else.

import { h } from "./dom.js";

/** The address if it is a whole http or https one, else null. */
export function httpUrl(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && /^https?:$/.test(url.protocol) ? url.href : null;
}

export function externalLink(url, attributes, ...children) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", ...attributes }, ...children);
}
