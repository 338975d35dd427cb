"use strict";

// An icon is a word that a font draws as a picture: it is to be seen, and not to be read aloud but
// where a control has no other name.
document.addEventListener("DOMContentLoaded", () => {
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    const control = icon.closest("a, button");
    const isNamed = !control || control.title || control.ariaLabel || control.textContent.trim() !== icon.textContent.trim();
    if (isNamed) icon.setAttribute("aria-hidden", "true");
  }
});
