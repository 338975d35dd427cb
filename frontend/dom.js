// Builds elements; what a person typed only ever becomes text.

/** `h("a", {class: "x", href}, "text", node)`; attributes and children that are null or false are left out. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The address if it is a whole one on the web, else null: no other scheme becomes a link or a picture. */
export function webAddress(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && ["http:", "https:"].includes(url.protocol) ? url.href : null;
}

export function webLink(address, attributes, ...children) {
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer", ...attributes }, ...children);
}
