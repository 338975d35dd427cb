// Draws the page's few icons, so that nothing has to be fetched.

import { h, svg } from "./dom.js";

const PATHS = {
  announcement: "M4 10v4a1 1 0 0 0 1 1h2l1.5 5h2L9.5 15h1.5l7 4V5l-7 4H5a1 1 0 0 0-1 1Zm16-.5v5a2.5 2.5 0 0 0 0-5Z",
  text: "M9.4 3 8.6 8H4v2h4.3l-.7 4H3v2h4.2l-.8 5h2l.9-5h4l-.9 5h2l.9-5H20v-2h-4.3l.7-4H21V8h-4.2l.8-5h-2l-.9 5h-4l.9-5h-2Zm.9 7h4l-.7 4h-4l.7-4Z",
  warning: "M12 2.5 1.5 21h21L12 2.5ZM11 9h2v6h-2V9Zm0 7.5h2v2h-2v-2Z",
  menu: "M3 5h18v2H3V5Zm0 6h18v2H3v-2Zm0 6h18v2H3v-2Z",
  trash: "M9 3h6l1 2h4v2H4V5h4l1-2ZM6 9h12l-1 12H7L6 9Z",
  close: "m6.4 5 5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4 6.4 5Z",
  down: "m5 9 1.4-1.4 5.6 5.6 5.6-5.6L19 9l-7 7-7-7Z",
  external: "M14 3h7v7h-2V6.4l-8.3 8.3-1.4-1.4L17.6 5H14V3ZM5 5h5v2H5v12h12v-5h2v7H3V5h2Z",
  thread: "M5 3h14v10H9l-4 4V3Zm2 2v7.2l1.2-1.2H17V5H7Zm5 10h8v6l-3-3h-5v-3Z",
  embed: "M3 4h18v16H3V4Zm2 2v12h14V6H5Zm2 2h2v8H7V8Zm4 1h6v2h-6V9Zm0 4h6v2h-6v-2Z",
  eye: "M12 5c5 0 9 4 10.5 7-1.5 3-5.5 7-10.5 7S3 15 1.5 12C3 9 7 5 12 5Zm0 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0 2a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z",
};

/** With a label it is an image that is read out; without one it only decorates. */
export function drawSign(name, label) {
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return svg("svg", { class: "sign", viewBox: "0 0 24 24", ...named }, svg("path", { d: PATHS[name] }));
}

export function drawExternalIcon(label) {
  return h("span", { class: "button-external" }, drawSign("external", label));
}

export function drawIconButton(name, label, attributes) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, ...attributes }, drawSign(name));
}
