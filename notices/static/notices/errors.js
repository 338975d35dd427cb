"use strict";

// What was refused begins at its first faulty field, which may be folded away or far below.
function focusOn(id) {
  const place = document.getElementById(id);
  if (!place) return null;
  for (let part = place.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  const isControl = place.matches("input:not([type=hidden]), select, textarea");
  const control = isControl ? place : (place.querySelector("input:not([type=hidden]), select, textarea, button") ?? place);
  control.focus();
  bringIntoSight(control);
  return control;
}

function bringIntoSight(control) {
  control.closest(".form-row, .field-row, div")?.scrollIntoView({ block: "center" });
}

// A font or a style that comes late moves everything: until all is there, she is led back.
function stayOn(id) {
  const control = focusOn(id);
  if (document.readyState === "complete") return;
  window.addEventListener("load", () => {
    if (control && document.activeElement === control) bringIntoSight(control);
  }, { once: true });
}

// The theme hides the page until it has done its own, and what is hidden cannot take the focus.
document.addEventListener("alpine:initialized", () => {
  const links = [...document.querySelectorAll("#errors a[href^='#']")];
  for (const link of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      focusOn(link.hash.slice(1));
    });
  }
  if (links.length) setTimeout(() => stayOn(links[0].hash.slice(1)));
});
