"use strict";

// The page of a notice looks again by htmx, until nothing more will change by itself. What htmx
// leaves to us is here: a network that is away, what is unfolded, and what is read aloud.
document.addEventListener("DOMContentLoaded", () => {
  const outcome = document.getElementById("outcome");
  if (!outcome) return;
  const said = document.getElementById("outcome-said");
  const trouble = document.getElementById("outcome-trouble");
  let unfolded = [];
  let wasFocused = false;

  function forgetWhatWasUnderWay() {
    for (const told of document.querySelectorAll("[data-tags~=under-way]")) told.closest("li, div").remove();
  }
  // It may have come to its end before the page was there.
  if (!outcome.querySelector("[hx-get]")) forgetWhatWasUnderWay();

  outcome.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden) event.preventDefault(); // nobody looks: the next turn will ask
  });

  for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    outcome.addEventListener(failure, () => {
      if (!trouble.textContent.trim()) trouble.textContent = outcome.dataset.offline;
    });
  }

  outcome.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.status < 400) trouble.textContent = "";
  });

  outcome.addEventListener("htmx:beforeSwap", () => {
    unfolded = [...outcome.querySelectorAll("details[open]")].map((one) => one.id);
    wasFocused = outcome.contains(document.activeElement);
  });

  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "outcome-body") return;
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    // What she stood on may be gone, such as the button to try again: she stays with the notice.
    if (wasFocused && !outcome.contains(document.activeElement)) outcome.focus({ preventScroll: true });
    forgetWhatWasUnderWay();
    const words = document.getElementById("outcome-body").dataset.said;
    if (said.textContent !== words) said.textContent = words;
    htmx.trigger(document.body, "outcome-changed"); // what a save would do may have changed too
  });
});
