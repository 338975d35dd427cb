"use strict";

// Django places this script in the head.
document.addEventListener("DOMContentLoaded", () => {
  // The page of a notice looks again at what became of it, until nothing more will change by itself.
  const outcome = document.getElementById("outcome");

  function openKeys() {
    return new Set([...outcome.querySelectorAll("details[open]")].map((one) => one.dataset.key));
  }

  async function refresh() {
    if (document.hidden) {
      document.addEventListener("visibilitychange", refresh, { once: true });
      return;
    }
    try {
      const answer = await fetch(outcome.dataset.url, { credentials: "same-origin" });
      if (answer.redirected || answer.status === 404) return; // logged out, or no longer hers
      if (answer.ok) {
        const open = openKeys();
        outcome.innerHTML = await answer.text();
        for (const one of outcome.querySelectorAll("details")) one.open = open.has(one.dataset.key);
      }
    } catch {
      // The network is away for a moment: the next look will tell.
    }
    lookAgain();
  }

  function lookAgain() {
    const seconds = outcome.querySelector("[data-poll]")?.dataset.poll;
    if (seconds) setTimeout(refresh, Number(seconds) * 1000);
  }

  if (outcome) lookAgain();

  // Only the channels of the study that is picked are offered; a new study starts with all of its own.
  function offerChannels(study, boxes, pick) {
    for (const box of boxes) {
      const offered = box.dataset.studies.split(" ").includes(study.value);
      const row = box.closest("div");
      if (pick) box.checked = offered;
      row.hidden = !offered && !box.checked;
    }
  }

  const study = document.querySelector("select#id_study");
  if (study) {
    const boxes = document.querySelectorAll("input[name=channels]");
    offerChannels(study, boxes, false);
    study.addEventListener("change", () => offerChannels(study, boxes, true));
  }

  // What cannot be put back is asked about first.
  document.addEventListener("submit", (event) => {
    const asking = event.target.closest("[data-confirm]");
    if (!asking) return;
    const only = asking.dataset.confirmAction;
    const chosen = event.target.querySelector("select[name=action]")?.value;
    if (only && only !== chosen) return;
    if (!window.confirm(asking.dataset.confirm)) event.preventDefault();
  });
});
