// Shows beside the form, while she writes, the message that Discord will show. Brought by in_sight.js.

import { attachedIn } from "./attached.js";
import { drawMessage, pictureDrawer } from "./drawing.js";
import { h } from "./dom.js";
import { messageOf } from "./message.js";

function startPreview(place, page) {
  const { form } = document.getElementById("id_content");
  const context = { locale: document.documentElement.lang, texts: page.texts, channels: page.channels };
  const picture = pictureDrawer(context);
  const canvas = openCanvas(place);
  // An address that is still being typed is not asked for.
  let image = form.elements.image?.value;
  let drawn = null;

  function draw() {
    const values = { ...Object.fromEntries(new FormData(form)), image };
    const attached = attachedIn(form);
    // To leave the text area is a change too: what is pressed in the preview must not go meanwhile.
    const written = JSON.stringify([values, attached]);
    if (written === drawn) return;
    drawn = written;
    const study = page.studies[values.study ?? page.study];
    Object.assign(context, { zone: study?.zone, roles: study?.roles ?? {} });
    canvas.replaceChildren(drawMessage(messageOf(values, attached, study, page), context, picture));
  }

  // A long text on a slow phone: between two drawings there is as much time again to type in.
  let waiting = null;
  let took = 0;
  function drawSoon() {
    place.setAttribute("aria-busy", "true");
    waiting ??= setTimeout(() => {
      waiting = null;
      const begun = performance.now();
      draw();
      place.removeAttribute("aria-busy");
      took = performance.now() - begun;
    }, took);
  }

  form.addEventListener("input", drawSoon);
  form.addEventListener("change", () => {
    image = form.elements.image?.value;
    drawSoon();
  });
  draw();
  // What a browser puts back after Back comes without an event.
  window.addEventListener("pageshow", () => {
    image = form.elements.image?.value;
    draw();
  });
}

/** A place with a style of its own, which neither takes on the desk's nor disturbs it. */
function openCanvas(place) {
  const canvas = h("div", { class: "canvas" });
  const style = h("link", { rel: "stylesheet", href: place.dataset.style });
  place.attachShadow({ mode: "open" }).append(style, canvas);
  return canvas;
}

const place = document.getElementById("preview-message");
const data = document.getElementById("writing") ?? document.getElementById("shown");
if (place) startPreview(place, JSON.parse(data.textContent));
