// The seam with the server: its stream of events, and the two things that a person can do.

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

/** Whether the server took it. */
export async function deleteMessage({ channel_id: channelId, id }) {
  try {
    const response = await fetch(`/_page/channels/${channelId}/messages/${id}`, { method: "DELETE" });
    return response.ok;
  } catch {
    return false;
  }
}
