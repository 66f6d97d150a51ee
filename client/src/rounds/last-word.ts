import { pause } from '../transport/index.js';

/** A coordinator that does not take the last entries within this time gets them when the daemon starts again. */
const LAST_WORD_MS = 5_000;

/** Try to send what waits before the daemon ends; the entries stay in the outbox whatever comes of it. */
export async function lastWord(drain: () => Promise<void>, waitMs = LAST_WORD_MS): Promise<void> {
  const sent = new AbortController();
  const drained = drain()
    .catch(() => undefined)
    .finally(() => sent.abort());
  await Promise.race([drained, pause(waitMs, sent.signal).catch(() => undefined)]);
}
