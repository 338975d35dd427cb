// Writes a notice, or changes one: nothing typed is lost, nothing is posted twice or overwritten.

import { ask, newKey, Refused, untilAnswered } from "./api.js";
import { conflictNote } from "./conflict.js";
import { copyOf } from "./dom.js";
import { draftOf } from "./draft.js";
import { bodyOf, channelsOf, differing, FIELDS, read, showErrors, valuesOf, write } from "./fields.js";
import { note, waitingIn } from "./notes.js";
import { previewIn } from "./preview.js";
import { t, zone } from "./texts.js";

export async function writeNew(main, { studies, signal }) {
  const draft = draftOf("new");
  const empty = Object.fromEntries(FIELDS.map((name) => [name, ""]));
  const start = { ...empty, study_id: String(studies[0].id), channel_ids: channelsOf(studies[0]) };
  const { values, pending } = draft.read() ?? { values: start };
  const view = new Form(main, { studies, signal, heading: "newHeading", button: "post" });
  view.fill(values);
  view.onChange = () => draft.keep({ values: view.values });
  view.onSubmit = () => post({ key: newKey(), body: bodyOf(view.values) });

  /** Kept with its key before it goes out: whatever happens then, it can be repeated. */
  async function post(pending) {
    draft.keep({ values: view.values, pending });
    const { key, body } = pending;
    const options = { body, headers: { "Idempotency-Key": key }, signal };
    const request = () => ask("POST", "notices/", options);
    const answer = await view.busy(request, t("noAnswerPost"), () => view.onChange());
    if (!answer) return;
    draft.drop();
    location.hash = `#/notices/${answer.data.id}`;
  }

  if (pending) await post(pending);
}

export async function change(main, { id, studies, signal }) {
  const draft = draftOf(id);
  const begun = draft.read() ?? (await begin(main));
  const view = new Form(main, { studies, signal, heading: "editHeading", button: "save" });
  view.fix(begun.isPublished);
  view.fill(begun.values);
  view.onChange = () => draft.keep({ ...begun, values: view.values });
  view.onCancel = () => draft.drop();
  view.onSubmit = save;

  async function begin(place) {
    const waiting = waitingIn(place, t("noAnswerRead"), signal);
    const { data, etag } = await untilAnswered(() => ask("GET", `notices/${id}/`, { signal }), waiting);
    const isPublished = new Date(data.publish_at) <= new Date();
    return { base: valuesOf(data), values: valuesOf(data), etag, isPublished };
  }

  /** Only what was changed, and only while nobody else has changed anything. */
  async function save() {
    const body = bodyOf(view.values, differing(view.values, begun.base));
    if (begun.base.publish_at && !view.values.publish_at) body.publish_at = new Date().toISOString();
    const options = { body, headers: { "If-Match": begun.etag }, signal };
    const request = () => ask("PATCH", `notices/${id}/`, options);
    if (await view.busy(request, t("noAnswerAction"), settle)) leave();
  }

  function leave() {
    draft.drop();
    location.hash = `#/notices/${id}`;
  }

  async function settle(error) {
    if (error.status !== 412) return;
    const current = await begin(view.notes);
    // A save whose answer was lost is refused on being repeated: it was our own change.
    if (!differing(current.base, view.values).length) return leave();
    const takeTheirs = () => {
      Object.assign(begun, current);
      view.fill(current.base);
    };
    const saveMine = () => {
      Object.assign(begun, { ...current, values: view.values });
      view.submit();
    };
    view.say(conflictNote(current.base, view.values, studies, { takeTheirs, saveMine }));
  }
}

class Form {
  onChange = () => {};
  onCancel = () => {};
  onSubmit = () => {};
  #touched = new Set();

  constructor(main, { studies, signal, heading, button }) {
    main.replaceChildren(copyOf("compose", t));
    this.studies = studies;
    this.signal = signal;
    this.form = main.querySelector("form");
    this.notes = main.querySelector(".notes");
    this.form.querySelector("h2").textContent = t(heading);
    this.button = this.form.querySelector("[type=submit]");
    this.button.textContent = t(button);
    this.form.querySelector("#publish_at-hint").textContent = t("timeHint", { zone });
    this.#listen();
    this.preview = previewIn(main.querySelector(".preview"), {
      body: () => bodyOf(this.values),
      isPublished: () => this.form.elements.publish_at.readOnly,
      judged: (errors) => this.#judge(errors),
      signal,
    });
  }

  get values() {
    // What is disabled is not in a form's data.
    const locked = this.form.querySelector(".fields");
    const wasLocked = locked.disabled;
    locked.disabled = false;
    const values = read(this.form);
    locked.disabled = wasLocked;
    return values;
  }

  fill(values) {
    write(this.form, values, this.studies);
    this.say();
    if (values.title || values.content) this.preview.look();
  }

  /** A notice stays with its study, and a published one with its moment. */
  fix(isPublished) {
    this.form.querySelector("[data-field=study_id]").hidden = true;
    this.form.elements.publish_at.readOnly = isPublished;
    if (isPublished) this.form.querySelector("#publish_at-hint").textContent = t("fixedTime");
    this.form.querySelector(".cancel").hidden = false;
    this.form.querySelector(".cancel").href = location.hash.replace("/edit", "");
  }

  say(...notes) {
    this.notes.replaceChildren(...notes);
    if (notes.length) this.notes.scrollIntoView({ block: "nearest" });
  }

  submit() {
    this.form.requestSubmit();
  }

  /** The request's answer, repeated until there is one; null where it was refused. */
  async busy(request, text, onRefused) {
    const fields = this.form.querySelector(".fields");
    fields.disabled = this.button.disabled = true;
    try {
      return await untilAnswered(request, waitingIn(this.notes, text, this.signal));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fields.disabled = this.button.disabled = false;
      this.#refuse(error);
      await onRefused(error);
      return null;
    }
  }

  #listen() {
    const { form } = this;
    form.addEventListener("input", (event) => {
      if (event.target.name === "study_id") this.#changeStudy();
      this.onChange();
      this.preview.lookSoon();
    });
    form.addEventListener("change", (event) => this.#touched.add(event.target.name));
    form.querySelector(".cancel").addEventListener("click", () => this.onCancel());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const unfinished = this.#halfAMoment();
      if (unfinished.length) {
        this.#touched.add("publish_at");
        this.#show(unfinished);
        return;
      }
      this.say();
      this.onSubmit();
    });
  }

  #changeStudy() {
    const values = this.values;
    const study = this.studies.find((one) => String(one.id) === values.study_id);
    write(this.form, { ...values, channel_ids: channelsOf(study) }, this.studies);
  }

  /** A moment of which half is typed has no value, and no value means: at once. */
  #halfAMoment() {
    const isHalf = this.form.elements.publish_at.validity.badInput;
    return isHalf ? [{ field: "publish_at", detail: t("timeIncomplete") }] : [];
  }

  /** Of a preview: whoever has not come to a field yet has made no mistake there. */
  #judge(errors) {
    const all = [...this.#halfAMoment(), ...errors];
    showErrors(this.form, all.filter((error) => this.#touched.has(error.field)));
  }

  #refuse(error) {
    FIELDS.forEach((name) => this.#touched.add(name));
    this.#show(error.errors);
    const elsewhere = error.errors.filter((one) => !FIELDS.includes(one.field));
    if (elsewhere.length || !error.errors.length) this.say(note("bad", t("refused"), ` ${error.message}`));
  }

  #show(errors) {
    showErrors(this.form, errors);
    this.form.querySelector("[aria-invalid]")?.focus();
  }
}
