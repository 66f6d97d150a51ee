import type { SiteId } from './ports.js';
import { type ServerSession, WINDOW_BYTES } from './tls.js';

/** what the stream windows of all uploads add up to at most, while one has more than the least */
const BUDGET_BYTES = 32 << 20;
const LEAST_BYTES = 512 << 10;

/**
 * Shares one budget of receive windows among the uploads that run: one alone has the whole window, sixteen have 2 MiB.
 *
 * What a busy coordinator has not yet read waits in its memory, up to one window an upload. Over 40 ms the budget still
 * lets 400 MB/s through. A window only shrinks while its upload runs, in halves: a session has few settings under way.
 */
export class WindowShare {
  private readonly uploads = new Map<SiteId, number>();
  private readonly windows = new WeakMap<ServerSession, number>();

  constructor(private readonly sessionsOf: (site: SiteId) => readonly ServerSession[]) {}

  /** A site begins an upload. @returns to be called once at its end */
  begin(site: SiteId): () => void {
    this.uploads.set(site, (this.uploads.get(site) ?? 0) + 1);
    const share = shareOf(this.uploads.size);
    for (const session of this.sessionsOf(site)) this.set(session, share);
    for (const other of this.uploads.keys()) {
      for (const session of this.sessionsOf(other))
        if (this.windowOf(session) > share) this.set(session, share);
    }
    return () => {
      const left = (this.uploads.get(site) ?? 1) - 1;
      if (left === 0) this.uploads.delete(site);
      else this.uploads.set(site, left);
    };
  }

  private set(session: ServerSession, bytes: number): void {
    if (session.closed || this.windowOf(session) === bytes) return;
    session.settings({ initialWindowSize: bytes });
    this.windows.set(session, bytes);
  }

  private windowOf(session: ServerSession): number {
    return this.windows.get(session) ?? WINDOW_BYTES;
  }
}

/** Bytes for each of so many uploads: a power of two. */
function shareOf(uploads: number): number {
  const share = 2 ** Math.floor(Math.log2(BUDGET_BYTES / uploads));
  return Math.min(WINDOW_BYTES, Math.max(LEAST_BYTES, share));
}
