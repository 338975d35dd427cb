// Keeps in the browser what is typed and not saved yet, and offers it back: nothing typed is lost.

const PREFIX = "notices.unsaved.";
const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;
// What the server puts into the form for itself.
const NOT_TYPED = ["csrfmiddlewaretoken", "writing", "seen_revision"];

/** The records of one person in this browser, one for each time that a form was opened. */
function openShelf(user) {
  const keyOf = (writing) => `${PREFIX}${user}.${writing}`;
  // A browser may have no room, or refuse to keep anything: the form works all the same.
  const attempt = (action) => {
    try {
      return action();
    } catch {
      return null;
    }
  };
  const read = (key) => attempt(() => JSON.parse(localStorage.getItem(key)));
  return {
    put: (writing, record) => attempt(() => localStorage.setItem(keyOf(writing), JSON.stringify(record))),
    drop: (writing) => attempt(() => localStorage.removeItem(keyOf(writing))),
    /** Newest first, each with the writing it is of. */
    all() {
      const keys = attempt(() => Object.keys(localStorage)) ?? [];
      return keys
        .filter((key) => key.startsWith(keyOf("")))
        .map((key) => ({ ...read(key), writing: key.slice(keyOf("").length) }))
        .sort((one, other) => other.at - one.at);
    },
  };
}

function start(form, page, banner) {
  const shelf = openShelf(page.user);
  const opened = typed(form);
  let isSubmitted = false;

  for (const writing of page.saved) shelf.drop(writing);
  for (const { writing, at } of shelf.all()) if (!(Date.now() - at < KEPT_DAYS * DAY_MS)) shelf.drop(writing);

  const isUnsaved = () => page.isRefused || !isSame(typed(form), opened);
  function keep() {
    const { notice, revision } = page;
    const writing = form.elements.writing.value;
    if (isUnsaved()) shelf.put(writing, { notice, revision, at: Date.now(), values: typed(form) });
    else shelf.drop(writing);
  }

  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
  window.addEventListener("submit", (event) => {
    isSubmitted = event.target === form && !event.defaultPrevented;
  });
  // Shown again from the browser's own store, after a look at another page.
  window.addEventListener("pageshow", () => (isSubmitted = false));
  window.addEventListener("beforeunload", (event) => {
    if (!isSubmitted && isUnsaved()) event.preventDefault();
  });
  if (page.isRefused) keep();

  // What she went back to and changed, after it had become this notice, is of this notice.
  const isHere = ({ notice, writing }) => notice === page.notice || page.writings.includes(writing);
  const isOther = ({ values }) => Object.keys(opened).some((name) => !isSame(values[name], opened[name]));
  const found = shelf.all().find((one) => isHere(one) && one.writing !== page.writing && isOther(one));
  if (found) offer(found);

  function offer(record) {
    describe(banner, record, page);
    banner.querySelector("[data-do=restore]").addEventListener("click", () => {
      restore(form, record.values);
      keep();
      close(record);
      form.elements.content.focus();
    });
    banner.querySelector("[data-do=discard]").addEventListener("click", () => close(record));
    banner.hidden = false;
  }

  function close(record) {
    shelf.drop(record.writing);
    banner.hidden = true;
  }
}

/** Every value in the form by its name; boxes may give several, or none. */
function typed(form) {
  const values = {};
  for (const control of typedControls(form)) values[control.name] ??= [];
  for (const [name, value] of new FormData(form)) if (name in values) values[name].push(value.replaceAll("\r\n", "\n"));
  return values;
}

function typedControls(form) {
  return [...form.elements].filter(({ name, type }) => name && !NOT_TYPED.includes(name) && !["submit", "button", "file"].includes(type));
}

function isSame(some, others) {
  return JSON.stringify(some) === JSON.stringify(others);
}

function describe(banner, { at, revision, values }, page) {
  const moment = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }).format(at);
  banner.querySelector("[data-moment]").textContent = moment;
  banner.querySelector("[data-words]").textContent = [values.title, values.content].map((texts) => texts?.[0]).filter(Boolean).join(" — ");
  banner.querySelector("[data-changed-since]").hidden = [null, page.revision].includes(revision);
}

function restore(form, values) {
  // In the page's order: to pick a study picks all its channels, and she had picked among them.
  for (const control of typedControls(form)) if (control.name in values) put(control, values[control.name]);
}

function put(control, values) {
  if (["checkbox", "radio"].includes(control.type)) control.checked = values.includes(control.value);
  else control.value = values[0] ?? "";
  control.dispatchEvent(new Event("input", { bubbles: true }));
  control.dispatchEvent(new Event("change", { bubbles: true }));
}

const data = document.getElementById("writing");
if (data) start(document.getElementById("id_content").form, JSON.parse(data.textContent), document.getElementById("unsaved"));
