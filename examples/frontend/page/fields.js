// The form's fields: what is in them, what of it the API is sent, and what was wrong with each.

import { h } from "./dom.js";

/** By the API's names, so that a refusal finds its field. */
export const FIELDS = ["study_id", "channel_ids", "title", "content", "author", "url", "publish_at"];

export function read(form) {
  const data = new FormData(form);
  const values = Object.fromEntries(FIELDS.map((name) => [name, data.get(name) ?? ""]));
  return { ...values, channel_ids: data.getAll("channel_ids") };
}

/** The channels last: they are those of the study. */
export function write(form, values, studies) {
  const { study_id, channel_ids, ...texts } = values;
  form.elements.study_id.replaceChildren(
    ...studies.map((study) => h("option", { value: study.id }, study.name)),
  );
  form.elements.study_id.value = study_id;
  for (const [name, value] of Object.entries(texts)) form.elements[name].value = value;
  const study = studies.find((one) => String(one.id) === study_id);
  form.querySelector(".choices").replaceChildren(
    ...(study?.channels ?? []).map((channel) => choice(channel, channel_ids.includes(channel.id))),
  );
}

function choice(channel, isChosen) {
  return h(
    "label",
    { class: "choice" },
    h("input", { type: "checkbox", name: "channel_ids", value: channel.id, checked: isChosen }),
    h(
      "span",
      {},
      `#${channel.name || channel.id}`,
      channel.problems.map((problem) => h("small", { class: "problem" }, problem)),
    ),
  );
}

/** Where a notice goes unless one chooses: wherever the bot can write. */
export function channelsOf(study) {
  return study.channels.filter((channel) => channel.can_send !== false).map((channel) => channel.id);
}

export function valuesOf(notice) {
  const isToCome = new Date(notice.publish_at) > new Date();
  return {
    study_id: String(notice.study_id),
    channel_ids: notice.channel_ids,
    title: notice.title,
    content: notice.content,
    author: notice.author,
    url: notice.url,
    publish_at: isToCome ? localTime(notice.publish_at) : "",
  };
}

/** As `<input type="datetime-local">` has it: in the browser's own time zone. */
function localTime(iso) {
  const moment = new Date(iso);
  const shifted = new Date(moment - moment.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

/** The names of the fields in which the two say something else. */
export function differing(one, other) {
  const said = (values, name) =>
    Array.isArray(values[name]) ? [...values[name]].sort().join() : values[name].trim();
  return FIELDS.filter((name) => said(one, name) !== said(other, name));
}

export function bodyOf(values, names = FIELDS) {
  const body = Object.fromEntries(names.map((name) => [name, values[name]]));
  if (values.publish_at && names.includes("publish_at")) {
    body.publish_at = new Date(values.publish_at).toISOString();
  } else {
    delete body.publish_at; // which is: at once
  }
  return body;
}

/** Each error at its field. Returns those that have none. */
export function showErrors(form, errors) {
  for (const name of FIELDS) {
    const told = errors.filter((error) => error.field === name).map((error) => error.detail);
    const place = form.querySelector(`#${name}-wrong`);
    if (place.textContent === told.join(" ")) continue;
    place.textContent = told.join(" ");
    for (const input of form.querySelectorAll(`[name=${name}]`)) {
      if (told.length) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }
  return errors.filter((error) => !FIELDS.includes(error.field));
}
