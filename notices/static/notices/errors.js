"use strict";

// What was refused begins at its first faulty field, which may be folded away or far below.
function focusOn(id) {
  const place = document.getElementById(id);
  if (!place) return;
  for (let part = place.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  const isControl = place.matches("input:not([type=hidden]), select, textarea");
  const control = isControl ? place : (place.querySelector("input:not([type=hidden]), select, textarea, button") ?? place);
  control.focus();
  control.closest(".form-row, .field-row, div")?.scrollIntoView({ block: "center" });
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
  if (links.length) setTimeout(() => focusOn(links[0].hash.slice(1)));
});
