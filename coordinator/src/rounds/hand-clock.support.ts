import type { Clock } from './ports.js';

/** A clock that a test moves. */
export class HandClock implements Clock {
  private time = 1_000;
  private timers: { at: number; call: () => void }[] = [];

  /** timers that were set and neither called nor cancelled */
  get waiting(): number {
    return this.timers.length;
  }

  now(): number {
    return this.time;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.time + ms, call };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((t) => t !== timer));
  }

  move(ms: number): void {
    this.time += ms;
    const due = this.timers.filter((t) => t.at <= this.time);
    this.timers = this.timers.filter((t) => t.at > this.time);
    due.forEach((t) => t.call());
  }
}
