import type { Notice } from '@regulon/shared/wire';
import type { Clock } from '../rounds/index.js';

/** What is told when a site comes or goes. */
export interface PresenceListener {
  connected(site: number): void;
  disconnected(site: number): void;
  /** disconnected for longer than the grace period */
  departed(site: number): void;
}

/** Which sites listen now, and since when the others do not. */
export class Presence {
  private readonly streams = new Map<number, Set<(notice: Notice) => void>>();
  private readonly grace = new Map<number, () => void>();
  private readonly gone = new Set<number>();
  private readonly since = new Map<number, number>();
  private readonly listeners = new Set<PresenceListener>();

  /** @param departureMs grace period; it begins for everybody when the process starts */
  constructor(
    sites: readonly number[],
    private readonly clock: Clock,
    private readonly departureMs: number,
  ) {
    for (const site of sites) {
      this.since.set(site, clock.now());
      this.startGrace(site);
    }
  }

  /** Sites that listen now, ascending. */
  get connected(): number[] {
    return [...this.streams.keys()].sort((a, b) => a - b);
  }

  /** Sites gone for longer than the grace period, ascending. */
  get departed(): number[] {
    return [...this.gone].sort((a, b) => a - b);
  }

  isConnected(site: number): boolean {
    return this.streams.has(site);
  }

  /** When the site connected, or was last seen; ms since the epoch. */
  sinceOf(site: number): number | null {
    return this.since.get(site) ?? null;
  }

  /** A site listens. @returns stops it */
  add(site: number, emit: (notice: Notice) => void): () => void {
    const streams = this.streams.get(site) ?? new Set();
    const isNew = streams.size === 0;
    streams.add(emit);
    this.streams.set(site, streams);
    this.grace.get(site)?.();
    this.grace.delete(site);
    this.gone.delete(site);
    if (isNew) this.change(site, 'connected');
    return () => this.remove(site, emit);
  }

  /** Say something to those of these sites that listen. */
  announce(sites: readonly number[], notice: Notice): void {
    for (const site of sites) for (const emit of this.streams.get(site) ?? []) emit(notice);
  }

  listen(listener: PresenceListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Forget all timers. */
  close(): void {
    this.grace.forEach((cancel) => cancel());
    this.grace.clear();
    this.listeners.clear();
  }

  private remove(site: number, emit: (notice: Notice) => void): void {
    const streams = this.streams.get(site);
    if (!streams?.delete(emit) || streams.size > 0) return;
    this.streams.delete(site);
    this.startGrace(site);
    this.change(site, 'disconnected');
  }

  private startGrace(site: number): void {
    const depart = (): void => {
      this.grace.delete(site);
      this.gone.add(site);
      this.listeners.forEach((listener) => listener.departed(site));
    };
    this.grace.set(site, this.clock.after(this.departureMs, depart));
  }

  private change(site: number, what: 'connected' | 'disconnected'): void {
    this.since.set(site, this.clock.now());
    this.listeners.forEach((listener) => listener[what](site));
  }
}
