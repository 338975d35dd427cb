// Follows a notice: by the stream of its progress, and by asking where all streams are taken.

import { ask, Refused } from "./api.js";

const PAUSE_MILLISECONDS = 3000;

/**
 * `show(notice)` is called with each state of it, `say(how)` with "live", "asking", "lost" or
 * "over", and `refuse(error)` where it may not be read. It ends with `signal`.
 */
export function follow(id, signal, { show, say, refuse }) {
  let stream = null;
  let seen = null;

  function listen() {
    stream = new EventSource(`/api/v1/notices/${id}/events/`);
    stream.onopen = () => say("live");
    stream.addEventListener("progress", (event) => {
      seen = `"${event.lastEventId}"`;
      show(JSON.parse(event.data));
    });
    stream.addEventListener("end", () => {
      stop();
      say("over");
    });
    // A lost connection is renewed by the browser; closed is a stream that was refused.
    stream.onerror = () => {
      say("lost");
      if (stream.readyState === EventSource.CLOSED) look(stream);
    };
  }

  /** Once; after a pause it tries again to listen. What has not changed costs next to nothing. */
  async function look(refused) {
    try {
      const headers = seen ? { "If-None-Match": seen } : {};
      const { data, etag } = await ask("GET", `notices/${id}/`, { headers, signal });
      if (stream !== refused) return;
      say("asking");
      if (data) {
        seen = etag;
        show(data);
      }
    } catch (error) {
      if (stream !== refused) return;
      if (error instanceof Refused) return refuse(error);
    }
    setTimeout(() => stream === refused && listen(), PAUSE_MILLISECONDS);
  }

  function stop() {
    stream?.close();
    stream = null;
    document.removeEventListener("visibilitychange", restOrGoOn);
  }

  /** A page that nobody looks at gives its place to others. */
  function restOrGoOn() {
    stream?.close();
    if (!document.hidden) listen();
  }

  document.addEventListener("visibilitychange", restOrGoOn);
  signal.addEventListener("abort", stop);
  listen();
}
