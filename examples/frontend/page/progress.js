// Shows what becomes of a notice, channel by channel, and lets its writer act on it.

import { ask, newKey, Refused, untilAnswered } from "./api.js";
import { copyOf, h, webAddress } from "./dom.js";
import { follow } from "./follow.js";
import { embedOf, link, messageCard } from "./message.js";
import { note, waitingIn } from "./notes.js";
import { moment, t } from "./texts.js";

const MAY_BE_SENT_AGAIN = ["failed", "unknown"];

export async function showProgress(main, { id, studies, signal }) {
  main.replaceChildren(copyOf("progress", t));
  const find = (selector) => main.querySelector(selector);
  const notes = find(".notes");
  const lines = new Lines(find(".deliveries"));
  let following = new AbortController();
  let posted = "";
  signal.addEventListener("abort", () => following.abort());
  find(".edit").href = `#/notices/${id}/edit`;

  function show(notice) {
    const study = studies.find((one) => one.id === notice.study_id);
    find("h2").textContent = notice.title;
    find(".status").replaceChildren(chip(notice.status));
    say(find(".summary"), summaryOf(notice));
    lines.show(deliveriesOf(notice, study));
    const embed = embedOf(notice, study);
    if (JSON.stringify(embed) !== posted) find(".posted").replaceChildren(messageCard(embed));
    posted = JSON.stringify(embed);
    const isTakenBack = notice.withdrawn_at !== null;
    find(".edit").hidden = find(".withdraw").hidden = isTakenBack || notice.archived_at !== null;
    const canSendAgain = notice.deliveries.some((one) => MAY_BE_SENT_AGAIN.includes(one.state));
    find(".send-again").hidden = !canSendAgain || notice.archived_at !== null;
    find(".card").hidden = find("aside").hidden = false;
  }

  function start() {
    following.abort();
    following = new AbortController();
    follow(id, following.signal, {
      show,
      say: (how) => {
        find(".how").dataset.how = how;
        say(find(".how"), t(how));
      },
      refuse: (error) => notes.replaceChildren(note("bad", t("notFound"), ` ${error.message}`)),
    });
  }

  /** `action` is the API's: "withdraw" or "send-again". Done once, however often it is tried. */
  async function act(action) {
    const options = { headers: { "Idempotency-Key": newKey() }, signal };
    const request = () => ask("POST", `notices/${id}/${action}/`, options);
    find(".actions").disabled = true;
    try {
      const answer = await untilAnswered(request, waitingIn(notes, t("noAnswerAction"), signal));
      notes.replaceChildren();
      show(answer.data);
      start();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      notes.replaceChildren(note("bad", t("refused"), ` ${error.message}`));
    } finally {
      find(".actions").disabled = false;
    }
  }

  const dialog = find("dialog");
  find(".withdraw").addEventListener("click", () => {
    dialog.returnValue = "";
    dialog.showModal();
  });
  find(".send-again").addEventListener("click", () => act("send-again"));
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && act("withdraw"));
  start();
}

/** A line for each channel; one that says the same stays as it is, with the focus on it. */
class Lines {
  #shown = new Map();

  constructor(list) {
    this.list = list;
  }

  show(deliveries) {
    const lines = deliveries.map((delivery) => {
      const said = JSON.stringify(delivery);
      const shown = this.#shown.get(delivery.channel_id);
      if (shown?.said === said) return shown.line;
      const line = lineOf(delivery);
      this.#shown.set(delivery.channel_id, { said, line });
      return line;
    });
    if (lines.some((line, n) => line !== this.list.children[n]) || lines.length !== this.list.children.length) {
      this.list.replaceChildren(...lines);
    }
  }
}

function lineOf({ channel_id, channel_name, state, message_url, error }) {
  const address = webAddress(message_url);
  return h(
    "li",
    { "data-channel": channel_id },
    h("b", {}, `#${channel_name || channel_id}`),
    chip(state),
    address && state !== "withdrawn" && link(address, t("open")),
    error && h("div", { class: "why" }, h("p", {}, error.reason), h("p", {}, error.remedy)),
  );
}

/** With the channels that the notice has not come to yet. */
function deliveriesOf(notice, study) {
  const known = notice.deliveries.map((one) => one.channel_id);
  const names = new Map(study?.channels.map((channel) => [channel.id, channel.name]));
  const toCome = notice.channel_ids
    .filter((id) => !known.includes(id))
    .map((id) => ({ channel_id: id, channel_name: names.get(id), state: "waiting" }));
  return [...notice.deliveries, ...toCome];
}

function summaryOf(notice) {
  if (notice.status === "withdrawn") return t("summaryWithdrawn");
  if (notice.status === "scheduled") return t("summaryScheduled", { moment: moment(notice.publish_at) });
  const wanted = notice.deliveries.filter((one) => one.wanted !== null);
  const shown = wanted.filter((one) => one.state === "sent").length;
  return t("summary", { all: Math.max(wanted.length, notice.channel_ids.length), shown });
}

/** What a screen reader is told is told once. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function chip(state) {
  return h("span", { class: "chip", "data-state": state }, t(state));
}
