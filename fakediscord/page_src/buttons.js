// A message's buttons, and what became of the last press.

import { h } from "./dom.js";
import { drawExternalIcon } from "./icons.js";
import { externalLink, httpUrl } from "./links.js";

const ACTION_ROW = 1;
const BUTTON = 2;
const LINK = 5;
const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };

/** `press` is `{customId, state: "busy" | "failed"}` or undefined; `onPress` is called with a button's custom_id. */
export function drawComponents(components, context, press, onPress) {
  const parts = components.map((row) => {
    if (row.type !== ACTION_ROW) return drawUnsupported(row, context);
    return h("div", { class: "buttons" }, row.components.map((part) => drawPart(part, context, press, onPress)));
  });
  if (press?.state === "failed") parts.push(drawFailure(context));
  return parts;
}

function drawPart(part, context, press, onPress) {
  if (part.type !== BUTTON) return drawUnsupported(part, context);
  return part.style === LINK ? drawLinkButton(part, context) : drawButton(part, press, onPress);
}

function drawButton(button, press, onPress) {
  const busy = press?.state === "busy";
  return h(
    "button",
    {
      type: "button",
      class: `button ${STYLES[button.style] ?? "secondary"}`,
      disabled: button.disabled,
      // Not `disabled` while busy: that would throw the keyboard's focus away.
      "aria-disabled": busy ? "true" : null,
      "aria-busy": busy && press.customId === button.custom_id ? "true" : null,
      "data-custom-id": button.custom_id,
      "data-focus": button.custom_id,
      onclick: () => busy || onPress(button.custom_id),
    },
    drawLabel(button),
  );
}

function drawLinkButton(button, { texts }) {
  const url = httpUrl(button.url);
  const content = [drawLabel(button), drawExternalIcon(texts.opensNewTab)];
  if (!url || button.disabled) return h("button", { type: "button", class: "button secondary", disabled: true }, content);
  return externalLink(url, { class: "button secondary" }, content);
}

function drawLabel({ emoji, label }) {
  const sign = emoji?.id ? `:${emoji.name}:` : emoji?.name;
  return h("span", { class: "button-label" }, sign ? h("span", { class: "button-emoji" }, sign) : null, label);
}

function drawUnsupported({ type }, { texts }) {
  return h("p", { class: "note" }, texts.unsupported(type));
}

function drawFailure({ texts }) {
  return h("p", { class: "failure", role: "alert" }, texts.interactionFailed);
}
