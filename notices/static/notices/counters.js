// Says how much of Discord's limits a text takes up.

// What Python's strip() takes off, which differs from trim(): the server decides.
const BLANKS = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const OUTER_BLANKS = new RegExp(`^${BLANKS}|${BLANKS}$`, "g");
const NEAR = 0.9;
// A screen reader is told once she pauses, not at every letter.
const PAUSE_MS = 700;

/** In code points, as the server and Discord count: an emoji of several parts is several, a syllable one. */
export function lengthOf(text) {
  return [...text.normalize("NFC").replace(OUTER_BLANKS, "")].length;
}

function start(page) {
  const fields = [...document.querySelectorAll("[data-limit]")];
  const { form } = fields[0];
  const spoken = speaker();
  const counters = fields.map((field) => fieldCounter(field));
  counters.push(totalCounter(form, fields, page));
  const count = () => {
    for (const counter of counters) counter.update();
    spoken.say(counters.filter((one) => one.isNear()).map((one) => one.words(page.texts)).join(" "));
  };
  form.addEventListener("input", count);
  form.addEventListener("change", count);
  // What a browser puts back after Back comes without an event.
  window.addEventListener("pageshow", count);
  count();
}

function fieldCounter(field) {
  const element = document.createElement("p");
  element.className = "counter";
  element.id = `${field.id}_counter`;
  (field.closest(".markdown-editor") ?? field).after(element);
  field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${element.id}`.trim());
  const name = field.labels[0]?.textContent.replace(/[:*\s]+$/, "") ?? "";
  return counter(element, name, Number(field.dataset.limit), () => lengthOf(field.value));
}

/** Of the whole message: Discord adds up the texts of an embed, its footer too. */
function totalCounter(form, fields, page) {
  const element = document.getElementById("total");
  const length = () => {
    const study = page.studies[form.elements.study?.value ?? page.study];
    const author = form.elements.author?.value.trim();
    const texts = [...fields.filter(({ name }) => name !== "author").map((field) => field.value), study?.footer ?? ""];
    if (author && study) texts.push(`${study.byline.replace("{name}", () => author)}x·x`); // and " · " behind it
    return texts.reduce((sum, text) => sum + lengthOf(text), 0);
  };
  return counter(element, page.texts.inAll, page.limitInAll, length);
}

function counter(element, name, limit, measure) {
  let length = 0;
  return {
    update() {
      length = measure();
      element.textContent = `${name} ${length} / ${limit}`;
      element.classList.toggle("near", this.isNear());
      element.classList.toggle("over", length > limit);
    },
    isNear: () => length >= limit * NEAR,
    words: ({ left, tooMany }) =>
      (length > limit ? tooMany : left).replace("{name}", name).replace("{n}", Math.abs(limit - length)),
  };
}

function speaker() {
  const element = document.createElement("div");
  element.className = "only-spoken";
  element.setAttribute("role", "status");
  document.body.append(element);
  let timer = null;
  return {
    say(words) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (element.textContent !== words) element.textContent = words;
      }, PAUSE_MS);
    },
  };
}

const data = document.getElementById("writing");
if (data) start(JSON.parse(data.textContent));
