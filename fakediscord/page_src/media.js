// Pictures of embeds and attachments, which may be large, slow or gone.

import { h } from "./dom.js";
import { externalLink, httpUrl } from "./links.js";

/** A picture that opens in a tab of its own; null if its address is not on the web. */
export function drawImage(media, className, { texts }) {
  const url = httpUrl(media?.proxy_url ?? media?.url);
  if (!url) return null;
  const image = h("img", { src: url, alt: media.description || texts.image, width: media.width, height: media.height });
  const link = externalLink(httpUrl(media.url) ?? url, { class: className }, image);
  image.addEventListener("error", () => showBroken(link, texts), { once: true });
  return link;
}

/** A small picture that only decorates: beside an author's or in a footer. */
export function drawIcon(address) {
  const url = httpUrl(address);
  if (!url) return null;
  const icon = h("img", { class: "embed-icon", src: url, alt: "" });
  icon.addEventListener("error", () => icon.remove(), { once: true });
  return icon;
}

function showBroken(link, texts) {
  link.classList.add("broken");
  link.replaceChildren(texts.brokenImage);
}
