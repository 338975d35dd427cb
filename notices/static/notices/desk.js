"use strict";

// Django places this script in the head.
document.addEventListener("DOMContentLoaded", () => {
  // Only the channels of the study that is picked are offered; a new study starts with all of its own
  // in which nothing is wrong.
  function offerChannels(study, boxes, pick) {
    for (const box of boxes) {
      const offered = box.dataset.studies.split(" ").includes(study.value);
      const row = box.closest("div");
      if (pick) box.checked = offered && !("troubled" in box.dataset);
      row.hidden = !offered && !box.checked;
    }
  }

  const study = document.querySelector("select#id_study");
  if (study) {
    const boxes = document.querySelectorAll("input[name=channels]");
    offerChannels(study, boxes, false);
    study.addEventListener("change", () => offerChannels(study, boxes, true));
  }
});
