"use strict";

// A study's time zone is worth saying only to whom another clock hangs on the wall.
document.addEventListener("DOMContentLoaded", () => {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const note of document.querySelectorAll("[data-zone]")) note.hidden = note.dataset.zone === here;
});
