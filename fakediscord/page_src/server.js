// The seam with the server: its stream of events, and what a person can do.

const RETRY_MS = 1000;
const ANSWER_TIMEOUT_MS = 15_000;

/** Calls `onEvent(name, data)` for the named events and `onLost()` when the stream breaks; connects again by itself. */
export function listen(names, onEvent, onLost) {
  const stream = new EventSource("/_page/events");
  for (const name of names) {
    stream.addEventListener(name, (event) => onEvent(name, JSON.parse(event.data)));
  }
  // EventSource gives up for good on some errors, so each attempt is a new one.
  stream.addEventListener("error", () => {
    stream.close();
    onLost();
    setTimeout(listen, RETRY_MS, names, onEvent, onLost);
  });
}

/** What the bot answered, or `{error}`. */
export async function pressButton(press) {
  try {
    const response = await fetch("/_page/interactions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(press),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const answer = await response.json();
    return response.ok ? answer : { error: answer.error ?? response.statusText };
  } catch (error) {
    return { error: error.message };
  }
}

/** Each returns whether the server took it. */
export function deleteMessage({ channel_id: channelId, id }) {
  return ask("DELETE", `/_page/channels/${channelId}/messages/${id}`);
}

/** Removes the embeds of a message, or brings them back, as a moderator does. */
export function changeFlags({ channel_id: channelId, id }, flags) {
  return ask("PATCH", `/_page/channels/${channelId}/messages/${id}`, { flags });
}

export function changeThread({ id }, changes) {
  return ask("PATCH", `/_page/channels/${id}`, changes);
}

async function ask(method, path, body) {
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    return response.ok;
  } catch {
    return false;
  }
}
