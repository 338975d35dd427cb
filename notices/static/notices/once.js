"use strict";

// A page that she comes back to has the name it had: what it has made already, it makes no second
// time. The server would give it another, and the browser puts back what she typed.
document.addEventListener("DOMContentLoaded", () => {
  const [navigation] = performance.getEntriesByType("navigation");
  const known = (navigation?.type === "back_forward" && history.state?.writings) || {};
  const writings = {};
  for (const field of document.querySelectorAll("input[type=hidden][name=writing]")) {
    const form = field.form?.id || field.form?.getAttribute("action") || "";
    field.value = writings[form] = known[form] ?? field.value;
  }
  if (Object.keys(writings).length) history.replaceState({ ...history.state, writings }, "");
});
