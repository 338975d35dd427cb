// Builds elements. What anybody typed only ever becomes text: no HTML is parsed from it.

/** `h("a", {class: "x", href}, "text", node)`; what is null or false is left out. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  const isThere = (child) => child !== null && child !== undefined && child !== false;
  element.append(...children.flat(Infinity).filter(isThere));
  return element;
}

/** A copy of a `<template>`, with its words in the reader's language. */
export function copyOf(id, text) {
  const copy = document.getElementById(id).content.cloneNode(true);
  for (const element of copy.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of copy.querySelectorAll("[data-placeholder]")) {
    element.placeholder = text(element.dataset.placeholder);
  }
  return copy;
}

/** An address on the web, or null: no other scheme becomes a link. */
export function webAddress(address) {
  const url = URL.canParse(address) ? new URL(address) : null;
  return url && ["http:", "https:"].includes(url.protocol) ? url.href : null;
}
