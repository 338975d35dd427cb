// Asks the API, by way of the server that this page comes from, which alone knows the key.

import { language } from "./texts.js";

/** What was refused, and why: a problem document (RFC 9457) in the reader's language. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? `HTTP ${status}`);
    this.status = status;
    /** `[{field, value, detail}]` */
    this.errors = problem?.errors ?? [];
  }
}

/** Nobody knows whether it was done; the same request may be sent again, and is then done once. */
export class NoAnswerYet extends Error {
  constructor(waitSeconds) {
    super("no answer");
    this.waitSeconds = waitSeconds;
  }
}

/** The answer's `{data, etag}`; `data` is null for 304. */
export async function ask(method, path, { body, headers, signal } = {}) {
  const { response, data } = await send(method, path, body, headers, signal);
  if (response.ok || response.status === 304) return { data, etag: response.headers.get("ETag") };
  if (isForLater(response, data)) {
    throw new NoAnswerYet(Number(response.headers.get("Retry-After")) || 0);
  }
  throw new Refused(response.status, data);
}

async function send(method, path, body, headers, signal) {
  try {
    const response = await fetch(`/api/v1/${path}`, {
      method,
      signal,
      cache: "no-store",
      headers: {
        "Accept-Language": language,
        ...(body && { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return { response, data: text ? JSON.parse(text) : null };
  } catch (error) {
    if (signal?.aborted) return new Promise(() => {}); // nobody waits for it any more
    throw new NoAnswerYet(0);
  }
}

const FOR_LATER = [429, 502, 503, 504];

/** Nobody answers, too many ask, or the same request is still under way. */
function isForLater(response, problem) {
  return FOR_LATER.includes(response.status) || problem?.type === "urn:studybot:under-way";
}

/**
 * Repeats a request until it is answered. It must be safe to repeat: by its Idempotency-Key or
 * If-Match. `waiting(seconds)` resolves when it is time to try again.
 */
export async function untilAnswered(request, waiting) {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof NoAnswerYet)) throw error;
      await waiting(error.waitSeconds);
    }
  }
}

export const newKey = () => crypto.randomUUID();
