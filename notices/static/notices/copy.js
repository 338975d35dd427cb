"use strict";

// A browser offers its clipboard over HTTPS and on this machine alone. Elsewhere the link is marked.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("button[data-copies]")) {
    const source = document.getElementById(button.dataset.copies);
    button.hidden = false;
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(source);
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch {
        return;
      }
      button.textContent = button.nextElementSibling.textContent = button.dataset.done;
    });
  }
});
