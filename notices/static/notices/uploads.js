// Sends each picked file at once: the form holds no more than its id, and a refused save loses nothing.

const PART = 1024 * 1024;

function start(box, page) {
  const ids = box.querySelector("input[type=hidden]");
  const picker = box.querySelector("input[type=file]");
  const list = box.querySelector("ul");
  const said = box.querySelector(".uploads-said");
  const { texts } = page;
  const { form } = ids;
  const [most, limit] = [Number(box.dataset.most), Number(box.dataset.megabytes)];
  const accepted = picker.accept ? picker.accept.split(",") : null;
  const waiting = [];
  let isBusy = false;
  let stillUploading = null;

  const rows = () => [...list.querySelectorAll("[data-upload]")];
  const listed = () => rows().map((row) => row.dataset.upload).join(",");

  for (const row of rows()) row.append(removeButton(row));
  // The theme would look for a text beside it to write the file's name into: there is none.
  picker.hasChangeListener = true;
  picker.hidden = false;
  picker.addEventListener("change", () => {
    const picked = [...picker.files];
    // The same file can be picked once more.
    picker.value = "";
    take(picked);
  });
  // Put back from what the browser had kept: what is known of them is asked for.
  ids.addEventListener("change", () => {
    if (ids.value !== listed()) redraw(ids.value);
  });
  form.addEventListener("submit", (event) => {
    if (!isBusy) return;
    event.preventDefault();
    stillUploading ??= say(texts.stillUploading);
    box.scrollIntoView({ block: "center" });
  });

  function take(files) {
    said.replaceChildren();
    stillUploading = null;
    for (const file of files) add(file);
    tell();
  }

  function add(file) {
    if (accepted && !accepted.includes(file.type)) {
      say(fill(isHeic(file) ? texts.heic : texts.noPicture, { name: file.name }));
      return;
    }
    // One takes the place of the other where there can be one alone.
    if (most === 1 && file.size <= limit * PART) for (const row of rows()) row.remove();
    if (rows().length + waiting.length + list.querySelectorAll("[data-under-way]").length >= most) {
      say(fill(texts.tooManyFiles, { name: file.name, n: most }));
    } else if (file.size > limit * PART) {
      say(fill(texts.fileTooLarge, { name: file.name, size: (Math.ceil((file.size / PART) * 10) / 10).toString(), n: limit }));
    } else {
      waiting.push(file);
      next();
    }
  }

  /** One at a time: on a phone's line they would only slow each other down. */
  async function next() {
    if (isBusy) return;
    isBusy = true;
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      const row = document.createElement("li");
      row.dataset.underWay = "";
      const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
      const stop = button(fill(texts.cancelUpload, { name: file.name }), texts.cancel);
      bar.setAttribute("aria-label", fill(texts.uploading, { name: file.name }));
      row.append(file.name, " ", bar, stop);
      list.append(row);
      const answer = await send(file, bar, stop);
      if (answer.id) row.replaceWith(drawn(answer));
      else row.remove();
      if (answer.id) say(fill(texts.uploaded, { name: answer.name }));
      if (answer.error) say(answer.error);
      tell();
    }
    isBusy = false;
    stillUploading?.remove();
    stillUploading = null;
  }

  /** What is known of the upload; or why it failed, in words; or neither where it was cancelled. */
  function send(file, bar, stop) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      const lost = () => resolve({ error: fill(texts.uploadLost, { name: file.name }) });
      request.open("POST", accepted ? `${box.dataset.address}?as=picture` : box.dataset.address);
      request.setRequestHeader("X-CSRFToken", csrfToken(form));
      request.setRequestHeader("X-File-Name", encodeURIComponent(file.name.toWellFormed?.() ?? file.name));
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.responseType = "json";
      request.upload.addEventListener("progress", ({ loaded, total }) => (bar.value = total ? loaded / total : 0));
      request.addEventListener("load", () => (request.response?.id || request.response?.error ? resolve(request.response) : lost()));
      request.addEventListener("error", lost);
      request.addEventListener("abort", () => resolve({}));
      stop.addEventListener("click", () => request.abort());
      request.send(file);
    });
  }

  async function redraw(wanted) {
    const asked = new URLSearchParams(wanted.split(",").filter(Boolean).map((id) => ["id", id]));
    let found = [];
    try {
      const answer = await fetch(`${box.dataset.address}?${asked}`, { credentials: "same-origin" });
      found = answer.ok ? (await answer.json()).uploads : [];
    } catch {
      // Without the network nothing is known of them: the next change asks again.
      return;
    }
    if (ids.value !== wanted) return;
    const known = new Map(found.map((one) => [String(one.id), one]));
    const kept = wanted.split(",").filter((id) => known.has(id));
    list.replaceChildren(...kept.map((id) => drawn(known.get(id))));
    if (kept.join(",") !== wanted) say(texts.uploadGone);
    tell();
  }

  function drawn({ id, name, size, sizeInWords, type, url }) {
    const row = document.createElement("li");
    Object.assign(row.dataset, { upload: id, name, size, type });
    const link = Object.assign(document.createElement("a"), { href: url, target: "_blank", rel: "noopener", textContent: name });
    const words = Object.assign(document.createElement("span"), { className: "quiet", textContent: sizeInWords });
    row.append(link, " ", words, removeButton(row));
    return row;
  }

  function removeButton(row) {
    const remove = button(fill(texts.removeFile, { name: row.dataset.name }), texts.remove);
    remove.addEventListener("click", () => {
      row.remove();
      say(fill(texts.removed, { name: row.dataset.name }));
      tell();
      picker.focus();
    });
    return remove;
  }

  /** The form: its text is kept, the preview drawn anew. */
  function tell() {
    ids.value = listed();
    ids.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function say(words) {
    const line = Object.assign(document.createElement("p"), { textContent: words });
    said.append(line);
    return line;
  }

  return { box, accepted, take, isEmpty: () => !rows().length && !waiting.length && !isBusy };
}

/** Where no system knows HEIC, a file of this kind has no type. */
function isHeic(file) {
  return /^image\/hei[cf]/.test(file.type) || /\.hei[cf]$/i.test(file.name);
}

/** What is pasted or dropped: into the box that it is dropped on, else a picture into its own box. */
function share(files, boxes, target) {
  const under = boxes.find(({ box }) => box.contains(target));
  const shares = new Map(boxes.map((box) => [box, []]));
  const rest = boxes.find(({ accepted }) => !accepted);
  for (const file of files) {
    const free = boxes.find((one) => one.accepted?.includes(file.type) && one.isEmpty() && !shares.get(one).length);
    shares.get(under ?? free ?? rest ?? boxes[0]).push(file);
  }
  for (const [box, its] of shares) if (its.length) box.take(its);
}

/** A picture from the clipboard, and files dragged here: wherever in the form she does it. */
function takeFromOutside(form, boxes) {
  const hasFiles = ({ dataTransfer }) => dataTransfer.types.includes("Files");
  const mark = (isOver) => form.classList.toggle("dropping", isOver);
  form.addEventListener("paste", (event) => {
    // What is copied from a table or a page comes as a picture too: its words are meant.
    if (!event.clipboardData.files.length || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    share(event.clipboardData.files, boxes, null);
  });
  form.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) mark(false);
  });
  form.addEventListener("drop", (event) => {
    mark(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    share(event.dataTransfer.files, boxes, event.target);
  });
}

function button(label, words) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: words });
  made.setAttribute("aria-label", label);
  return made;
}

/** The cookie's, which a login in another tab has renewed; else the page's own. */
function csrfToken(form) {
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? form.elements.csrfmiddlewaretoken.value;
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

const data = document.getElementById("writing");
const places = [...document.querySelectorAll("[data-uploads]")];
if (data && places.length) {
  const page = JSON.parse(data.textContent);
  takeFromOutside(places[0].closest("form"), places.map((place) => start(place, page)));
}
