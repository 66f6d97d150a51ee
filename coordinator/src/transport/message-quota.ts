import { RegulonError } from '@regulon/shared/errors';
import type { SiteId } from './ports.js';

/** Token bucket a site: a broken or hostile daemon cannot keep the coordinator busy. */
export class MessageQuota {
  private readonly buckets = new Map<SiteId, { tokens: number; atMs: number }>();

  /**
   * @param perMinute sustained messages a minute; the burst is a quarter of it
   * @param now ms, ascending
   * @param what is counted, for the error
   */
  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = () => performance.now(),
    private readonly what = 'messages',
  ) {}

  /** Count one. @throws E_BUSY when the site sends too many */
  take(site: SiteId): void {
    const atMs = this.now();
    const burst = this.perMinute / 4;
    const bucket = this.buckets.get(site) ?? { tokens: burst, atMs };
    const refilled = Math.min(burst, bucket.tokens + ((atMs - bucket.atMs) / 60_000) * this.perMinute);
    // what is refused costs nothing: who asks again and again gets the sustained rate, not silence
    this.buckets.set(site, { tokens: refilled < 1 ? refilled : refilled - 1, atMs });
    if (refilled < 1)
      throw new RegulonError(
        'E_BUSY',
        `site ${site} sends more than ${this.perMinute} ${this.what} a minute`,
      );
  }
}
