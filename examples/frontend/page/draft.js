// What is typed, kept in this tab until it is posted: through a lost network and a reload.

/** `name` is "new", or the id of the notice that is changed. */
export function draftOf(name) {
  const slot = `draft ${name}`;
  return {
    /** `{values, pending, base, etag}`; `pending` is a POST without an answer yet: `{key, body}`. */
    read: () => JSON.parse(sessionStorage.getItem(slot) ?? "null"),
    keep: (draft) => sessionStorage.setItem(slot, JSON.stringify(draft)),
    drop: () => sessionStorage.removeItem(slot),
  };
}
