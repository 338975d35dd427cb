// The picture and the files that stand in the form: uploads.js keeps their rows.

export function attachedIn(form) {
  const all = [...form.querySelectorAll("[data-upload]")].map((row) => ({
    box: row.closest("[data-uploads]").dataset.uploads,
    name: row.dataset.name,
    size: Number(row.dataset.size),
    type: row.dataset.type,
    url: row.querySelector("a").href,
  }));
  return { picture: all.find(({ box }) => box === "picture"), files: all.filter(({ box }) => box !== "picture") };
}
