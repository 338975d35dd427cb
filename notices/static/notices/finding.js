"use strict";

// A filter that is picked applies at once. A day that is typed figure by figure waits for the button.
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form.finding")) {
    form.addEventListener("change", ({ target }) => {
      if (target.matches("select")) form.requestSubmit();
    });
  }
});
