// Discord's markdown by button and by shortcut, in the text area that the toolbar stands over.

const SHORTCUTS = { b: "bold", i: "italic", u: "underline" };
const MARKS = { bold: "**", italic: "*", underline: "__", strike: "~~", spoiler: "||", code: "`" };
const LINE_STARTS = {
  quote: { known: /^> /, start: () => "> " },
  list: { known: /^[-*] /, start: () => "- " },
  numbers: { known: /^\d+\. /, start: (index) => `${index + 1}. ` },
};
const HEADING = /^(#{1,3}) /;
const SMALLEST_HEADING = 3;
const FENCE = "```";
const ADDRESS = "https://";

/**
 * What a tool makes of `text` with the selection from `start` to `end`:
 * `words` in the place of what stands from `from` to `to`, of which `selected` is selected afterwards.
 */
export function edit(tool, text, start, end) {
  if (tool in MARKS) return toggleMark(MARKS[tool], text, start, end);
  if (tool in LINE_STARTS) return toggleLines(LINE_STARTS[tool], text, start, end);
  return { codeblock: toggleFence, link: insertLink, heading: nextHeading }[tool](text, start, end);
}

function toggleMark(mark, text, start, end) {
  const chosen = text.slice(start, end);
  if (chosen.trim()) {
    // Discord takes marks with a blank inside for plain characters.
    start += chosen.length - chosen.trimStart().length;
    end -= chosen.length - chosen.trimEnd().length;
  }
  const words = text.slice(start, end);
  const size = mark.length;
  if (isMarked(mark, runBefore(text, start, mark[0]), runAfter(text, end, mark[0]))) {
    return replacing(start - size, end + size, words, 0, words.length);
  }
  const inside = words.length >= 2 * size && isMarked(mark, runAfter(words, 0, mark[0]), runBefore(words, words.length, mark[0]));
  if (inside) return replacing(start, end, words.slice(size, -size), 0, words.length - 2 * size);
  return replacing(start, end, mark + words + mark, size, size + words.length);
}

/** Of three stars one is italic's and two are bold's. */
function isMarked(mark, before, after) {
  const run = Math.min(before, after);
  return mark === "*" ? run % 2 === 1 : run >= mark.length;
}

function runBefore(text, position, character) {
  let length = 0;
  while (text[position - length - 1] === character) length += 1;
  return length;
}

function runAfter(text, position, character) {
  let length = 0;
  while (text[position + length] === character) length += 1;
  return length;
}

function toggleLines({ known, start: lineStart }, text, start, end) {
  return changeLines(text, start, end, (lines) => {
    if (lines.every((line) => known.test(line) || !line.trim()) && lines.some((line) => known.test(line))) {
      return lines.map((line) => line.replace(known, ""));
    }
    return lines.map((line, index) => lineStart(index) + withoutListMark(line, known));
  });
}

/** A bulleted line that is to be numbered loses its bullet; what is quoted stays what it was. */
function withoutListMark(line, known) {
  const { quote, list, numbers } = LINE_STARTS;
  return known === quote.known ? line : line.replace(list.known, "").replace(numbers.known, "");
}

/** Large, middle, small, none. */
function nextHeading(text, start, end) {
  return changeLines(text, start, end, (lines) => {
    const level = (HEADING.exec(lines[0])?.[1].length ?? 0) + 1;
    const mark = level > SMALLEST_HEADING ? "" : `${"#".repeat(level)} `;
    return lines.map((line) => mark + line.replace(HEADING, ""));
  });
}

function changeLines(text, start, end, change) {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const nextBreak = text.indexOf("\n", end);
  const to = nextBreak === -1 ? text.length : nextBreak;
  const words = change(text.slice(from, to).split("\n")).join("\n");
  // A caret stays behind its word; lines that were selected stay so.
  const caret = Math.max(0, words.length - (to - end));
  return start === end ? replacing(from, to, words, caret, caret) : replacing(from, to, words, 0, words.length);
}

function toggleFence(text, start, end) {
  const chosen = text.slice(start, end);
  const fenced = /^```[^\n]*\n([^]*?)\n?```$/.exec(chosen);
  if (fenced) return replacing(start, end, fenced[1], 0, fenced[1].length);
  const before = start === 0 || text[start - 1] === "\n" ? "" : "\n";
  const after = end === text.length || text[end] === "\n" ? "" : "\n";
  const opening = `${before}${FENCE}\n`;
  return replacing(start, end, `${opening}${chosen}\n${FENCE}${after}`, opening.length, opening.length + chosen.length);
}

/** An address that was selected becomes the target, any other words become what is shown. */
function insertLink(text, start, end) {
  const chosen = text.slice(start, end);
  if (/^https?:\/\/\S+$/.test(chosen)) return replacing(start, end, `[](${chosen})`, 1, 1);
  const target = chosen.length + 3;
  const words = `[${chosen}](${ADDRESS})`;
  return chosen ? replacing(start, end, words, target, target + ADDRESS.length) : replacing(start, end, words, 1, 1);
}

function replacing(from, to, words, selectedFrom, selectedTo) {
  return { from, to, words, selected: [from + selectedFrom, from + selectedTo] };
}

/** What Enter makes of a line of a list: another one, or the list's end where the line is empty; else null. */
export function continueList(text, start, end) {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const line = /^( *)([-*]|(\d+)\.) (.*)$/.exec(text.slice(from, start));
  if (!line || isInFence(text, from)) return null;
  const [, indent, mark, number, words] = line;
  const rest = text.slice(end).split("\n", 1)[0];
  if (!words.trim()) return rest.trim() ? null : replacing(from, start, "", 0, 0);
  const next = `\n${indent}${number ? `${Number(number) + 1}.` : mark} `;
  return replacing(start, end, next, next.length, next.length);
}

function isInFence(text, position) {
  return text.slice(0, position).split(FENCE).length % 2 === 0;
}

/** What becomes of a pasted web address: the target of the words that are selected, or of the link that is being made. */
export function pasteAddress(address, text, start, end) {
  if (!/^https?:\/\/\S+$/.test(address)) return null;
  // A bracket would end the link.
  const target = address.replaceAll("(", "%28").replaceAll(")", "%29");
  const [before, chosen, after] = [text.slice(0, start), text.slice(start, end), text.slice(end)];
  // In a link's address, where nothing stands yet but how addresses begin.
  const begun = /\]\((https:\/\/)?$/.exec(before);
  if (begun && /^(https:\/\/)?\)/.test(after) && (!chosen || chosen === ADDRESS)) {
    const [from, to] = [start - (begun[1]?.length ?? 0), end + (after.startsWith(ADDRESS) ? ADDRESS.length : 0)];
    return replacing(from, to, target, target.length, target.length);
  }
  // In its words: the caret stays in them.
  const words = /\[([^[\]\n]*)$/.exec(before);
  const unfinished = /^([^[\]\n]*)\]\((?:https:\/\/)?\)/.exec(after);
  if (!chosen && words && unfinished) {
    const link = `[${words[1]}${unfinished[1]}](${target})`;
    const caret = 1 + words[1].length;
    return replacing(words.index, end + unfinished[0].length, link, caret, caret);
  }
  if (!chosen.trim() || chosen.includes("\n") || /^https?:\/\//.test(chosen)) return null;
  const link = `[${chosen}](${target})`;
  return replacing(start, end, link, link.length, link.length);
}

// What other programs put before the lines of a list.
const BULLETS = /^([ \t]*)[•·◦▪▫‣●○■□–—ㆍ・][ \t]*(?=\S)/gm;

export function withoutBullets(text) {
  return text.replace(BULLETS, (_bullet, indent) => `${indent.replaceAll("\t", "  ")}- `);
}

/** By the browser's own editing command, which alone leaves its undo as it was. */
function apply(area, { from, to, words, selected }) {
  area.focus();
  area.setSelectionRange(from, to);
  const typed = words ? document.execCommand("insertText", false, words) : document.execCommand("delete");
  if (!typed) {
    area.setRangeText(words, from, to, "end");
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  area.setSelectionRange(...selected);
}

function start(toolbar) {
  const area = document.getElementById(toolbar.getAttribute("aria-controls"));
  const buttons = [...toolbar.querySelectorAll("button")];
  const popup = startPopup(toolbar, area);
  const use = (tool) => {
    if (popup.has(tool)) popup.toggle(tool);
    else apply(area, edit(tool, area.value, area.selectionStart, area.selectionEnd));
  };

  // A press must not take the focus, and on some phones the selection with it.
  toolbar.addEventListener("pointerdown", (event) => event.preventDefault());
  toolbar.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) use(button.dataset.tool);
  });
  toolbar.addEventListener("keydown", (event) => moveFocus(event, buttons));
  area.addEventListener("keydown", (event) => {
    const tool = shortcut(event);
    if (!tool) return;
    event.preventDefault();
    use(tool);
  });
  // Fired by phones' keyboards too, and not while a syllable is put together.
  area.addEventListener("beforeinput", (event) => {
    if (!["insertLineBreak", "insertParagraph"].includes(event.inputType) || event.isComposing) return;
    instead(event, continueList(area.value, area.selectionStart, area.selectionEnd));
  });
  area.addEventListener("paste", (event) => {
    const pasted = event.clipboardData.getData("text/plain").trim();
    instead(event, pasteAddress(pasted, area.value, area.selectionStart, area.selectionEnd));
  });
  startBullets(toolbar.parentElement.querySelector(".bullets"), area);
  toolbar.hidden = false;

  function instead(event, change) {
    if (!change) return;
    event.preventDefault();
    apply(area, change);
  }
}

/** Offers to make a list of what was pasted with the bullets of another program. */
function startBullets(offer, area) {
  let isPasted = false;
  area.addEventListener("paste", () => (isPasted = true));
  area.addEventListener("input", () => {
    const hasBullets = withoutBullets(area.value) !== area.value;
    offer.hidden = !(hasBullets && (isPasted || !offer.hidden));
    isPasted = false;
  });
  offer.querySelector("button").addEventListener("click", () => {
    const words = withoutBullets(area.value);
    apply(area, replacing(0, area.value.length, words, words.length, words.length));
  });
}

/** What a tool opens below the toolbar; its script comes when it is first asked for. */
function startPopup(toolbar, area) {
  const place = toolbar.parentElement.querySelector(".toolbar-popup");
  const { dataset } = toolbar;
  const locale = document.documentElement.lang;
  const page = JSON.parse(document.getElementById("writing").textContent);
  const pick = (words) => apply(area, replacing(area.selectionStart, area.selectionEnd, words, words.length, words.length));
  const addresses = { emoji: dataset.emoji, timestamp: dataset.timestamp };
  const options = {
    emoji: () => ({ data: dataset.emojiData }),
    timestamp: () => {
      const { study, publish_at: moment } = area.form.elements;
      const zone = page.studies[study?.value ?? page.study]?.zone ?? Object.values(page.studies)[0]?.zone;
      return { zone: zone ?? "UTC", moment: moment?.value };
    },
  };
  let opened = null;

  function close() {
    if (opened) button(opened).ariaExpanded = "false";
    opened = null;
    place.hidden = true;
    place.replaceChildren();
  }

  async function toggle(tool) {
    const wasOpen = opened === tool;
    close();
    if (wasOpen) return;
    opened = tool;
    button(tool).ariaExpanded = "true";
    const drawn = await import(addresses[tool]).then(
      ({ draw }) => draw({ ...options[tool](), locale, texts: page.texts[tool], pick }),
      () => page.texts.toolLost,
    );
    // Another was opened, or this one closed, while it was on its way.
    if (opened !== tool) return;
    place.replaceChildren(drawn);
    place.hidden = false;
    place.querySelector("input")?.focus();
  }

  const button = (tool) => toolbar.querySelector(`[data-tool=${tool}]`);
  place.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
    area.focus();
  });
  return { has: (tool) => tool in addresses, toggle };
}

function shortcut(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.isComposing) return null;
  // Where Hangul is switched on, the key says ㅠ and the code says KeyB.
  const key = /^[a-z]$/i.test(event.key) ? event.key : event.code.replace("Key", "");
  return SHORTCUTS[key.toLowerCase()] ?? null;
}

/** One stop for Tab; within the toolbar the arrows move, as its role promises. */
function moveFocus(event, buttons) {
  const here = buttons.indexOf(event.target);
  const there = {
    ArrowRight: (here + 1) % buttons.length,
    ArrowLeft: (here - 1 + buttons.length) % buttons.length,
    Home: 0,
    End: buttons.length - 1,
  }[event.key];
  if (there === undefined) return;
  event.preventDefault();
  buttons[here].tabIndex = -1;
  buttons[there].tabIndex = 0;
  buttons[there].focus();
}

for (const toolbar of document.querySelectorAll("[role=toolbar][aria-controls]")) start(toolbar);
