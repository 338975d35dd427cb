"use strict";

// Nobody reads more of them beside the buttons.
const MOST_NAMED = 10;

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("notice_form");
  const reach = document.getElementById("reach");
  if (!form) return;

  // A moment is read in the time zone of the study that is picked.
  function showZone() {
    const study = form.elements.study?.value;
    for (const zone of form.querySelectorAll("[data-zone-of]")) {
      zone.hidden = Boolean(study) && !zone.dataset.zoneOf.split(" ").includes(study);
    }
  }

  // Whom it pings is known to the server alone. The answer to the latest question counts.
  let asked;

  async function showReach() {
    asked?.abort();
    asked = new AbortController();
    const picked = new FormData(form);
    const question = new URLSearchParams({ ping: picked.get("ping") });
    question.set("study", picked.get("study") ?? reach.dataset.study);
    for (const channel of picked.getAll("channels")) question.append("channels", channel);
    try {
      // Not in the address: a thousand channels would be too long for one.
      const answer = await fetch(reach.dataset.url, {
        method: "POST",
        body: question,
        headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
        credentials: "same-origin",
        signal: asked.signal,
      });
      reach.innerHTML = answer.ok && !answer.redirected ? await answer.text() : "";
    } catch {
      // A newer question is under way, or the network is away: the next change asks again.
    }
  }

  // Beside the buttons stands where it goes, which she need not have scrolled to.
  function showChannels() {
    const line = document.getElementById("going-to");
    if (!line) return;
    const picked = [...form.querySelectorAll("[name=channels]:checked")].map(({ dataset }) =>
      "troubled" in dataset ? `⚠ ${dataset.name}` : dataset.name,
    );
    const more = picked.length > MOST_NAMED ? ` +${picked.length - MOST_NAMED}` : "";
    const named = picked.slice(0, MOST_NAMED).join(", ");
    line.textContent = picked.length ? `→ ${named}${more}` : line.dataset.nowhere;
  }

  // The large button is the one that heeds the moment that she filled in.
  function showMain() {
    const buttons = ["_schedule", "_publish"].map((name) => document.querySelector(`.publish-row [name=${name}]`));
    if (!form.elements.publish_at || buttons.includes(null) || document.querySelector(".publish-row .apart")) return;
    const [schedule, publish] = buttons;
    const isLater = Boolean(form.elements.publish_at.value);
    schedule.classList.toggle("main", isLater);
    publish.classList.toggle("main", !isLater);
  }

  // Again after Back: what a browser puts back then comes without an event.
  window.addEventListener("pageshow", () => {
    showZone();
    showChannels();
    showMain();
  });
  form.addEventListener("input", showMain);
  form.addEventListener("change", (event) => {
    if (event.target.name === "study") showZone();
    if (["study", "channels"].includes(event.target.name)) showChannels();
    if (reach && ["study", "channels", "ping"].includes(event.target.name)) showReach();
  });
});

// The theme hides the page until it has done its own, and what is hidden cannot take the focus.
document.addEventListener("alpine:initialized", () => {
  setTimeout(() => document.querySelector("[role=alertdialog]")?.focus());
});
