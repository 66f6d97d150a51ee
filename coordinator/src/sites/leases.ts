import { equalBytes, hex, randomBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { Clock } from '../rounds/index.js';

/** A place to upload. */
export interface Lease {
  /** 16 random bytes */
  readonly id: Uint8Array;
  /** larger than every one before, over restarts too */
  readonly fence: number;
  readonly expiresAtMs: number;
}

interface Held extends Lease {
  readonly site: number;
  readonly uploadId: Uint8Array;
}

/** Bounds how many uploads run at once. In memory: after a restart the sites ask again. */
export class Leases {
  private readonly held = new Map<string, Held>();
  private lastFence: number;

  constructor(
    private readonly clock: Clock,
    /** places */
    private readonly limit: number,
    private readonly leaseMs: number,
    /** a lease expired with its upload unfinished */
    private readonly onLost: () => void = () => undefined,
  ) {
    this.lastFence = clock.now() * 1000;
  }

  /** Take or renew the place of an upload. @returns null when all places are taken */
  acquire(site: number, uploadId: Uint8Array): Lease | null {
    this.expire();
    const name = hex(uploadId);
    if (!this.held.has(name) && this.held.size >= this.limit) return null;
    const fence = Math.max(this.lastFence + 1, this.clock.now() * 1000);
    this.lastFence = fence;
    const lease = {
      id: randomBytes(16),
      fence,
      expiresAtMs: this.clock.now() + this.leaseMs,
      site,
      uploadId,
    };
    this.held.set(name, lease);
    return lease;
  }

  /** @returns the fence @throws E_LEASE when this is not the site's live lease for the upload */
  check(site: number, uploadId: Uint8Array, leaseId: Uint8Array): number {
    this.expire();
    const lease = this.held.get(hex(uploadId));
    if (lease?.site === site && equalBytes(lease.id, leaseId)) return lease.fence;
    throw new RegulonError('E_LEASE', `site ${site} holds no lease for this upload`);
  }

  /** Bytes arrived. */
  extend(uploadId: Uint8Array): void {
    const lease = this.held.get(hex(uploadId));
    if (lease) this.held.set(hex(uploadId), { ...lease, expiresAtMs: this.clock.now() + this.leaseMs });
  }

  release(uploadId: Uint8Array): void {
    this.held.delete(hex(uploadId));
  }

  private expire(): void {
    const now = this.clock.now();
    for (const [name, lease] of this.held) {
      if (lease.expiresAtMs > now) continue;
      this.held.delete(name);
      this.onLost();
    }
  }
}
