import type { Socket } from 'node:net';
import { capacityOf, type LineFaults } from './line-faults.js';

type Parcel = { readonly dueMs: number } & (
  { readonly bytes: Buffer } | { readonly end: 'closed' | 'reset' }
);

/** What a line tells the proxy. */
export interface LineHooks {
  readonly faults: () => LineFaults;
  /** bytes are about to be passed on; how many of them still may */
  readonly allowed: (bytes: number) => number;
  /** the connection is to be reset on both sides */
  readonly reset: () => void;
  /** bytes that the line holds now */
  readonly held: (bytes: number) => void;
}

/** One direction of a connection: bytes come out later, slower, in smaller pieces or never, always in order. */
export class Line {
  private readonly parcels: Parcel[] = [];
  private heldBytes = 0;
  /** when the last byte so far leaves a line of limited bandwidth */
  private departureMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private waiting = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly hooks: LineHooks,
  ) {
    from.on('data', (bytes: Buffer) => this.take(bytes));
    from.once('end', () => this.finish('closed'));
    from.on('error', () => this.finish('reset'));
    to.on('drain', () => this.goOn());
  }

  /** The faults have changed. */
  wake(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.pass();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.parcels.length = 0;
  }

  private take(bytes: Buffer): void {
    const faults = this.hooks.faults();
    this.departureMs =
      Math.max(this.departureMs, performance.now()) + (1000 * bytes.length) / faults.bytesPerSecond;
    this.parcels.push({ dueMs: this.departureMs + faults.roundTripMs / 2, bytes });
    this.hold(bytes.length);
    if (this.heldBytes >= capacityOf(faults)) this.from.pause();
    this.pass();
  }

  private finish(end: 'closed' | 'reset'): void {
    const { roundTripMs, closeDelayMs } = this.hooks.faults();
    const dueMs = Math.max(this.departureMs, performance.now()) + roundTripMs / 2 + closeDelayMs;
    this.parcels.push({ dueMs, end });
    this.pass();
  }

  /** Pass on what is due, until the other side wants no more for now. */
  private pass(): void {
    while (!this.waiting && this.timer === undefined && !this.hooks.faults().blackHole) {
      const [next] = this.parcels;
      if (next === undefined) return;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.wake(), waitMs);
        return;
      }
      if ('bytes' in next) this.passPiece(next.bytes, next.dueMs);
      else {
        this.parcels.length = 0;
        if (next.end === 'reset') this.hooks.reset();
        else this.to.end();
      }
    }
  }

  private passPiece(bytes: Buffer, dueMs: number): void {
    const piece = bytes.subarray(0, this.hooks.faults().sliceBytes);
    const rest = bytes.subarray(piece.length);
    if (rest.length === 0) this.parcels.shift();
    else this.parcels[0] = { dueMs, bytes: rest };
    this.hold(-piece.length);
    const allowed = this.hooks.allowed(piece.length);
    this.waiting = true;
    if (allowed < piece.length) {
      this.parcels.length = 0;
      this.to.write(piece.subarray(0, allowed), () => this.hooks.reset());
      return;
    }
    const flows = this.to.write(piece);
    if (flows && rest.length === 0) this.waiting = false;
    else if (flows) setImmediate(() => this.goOn());
    if (this.heldBytes < capacityOf(this.hooks.faults())) this.from.resume();
  }

  private goOn(): void {
    this.waiting = false;
    this.pass();
  }

  private hold(bytes: number): void {
    this.heldBytes += bytes;
    this.hooks.held(this.heldBytes);
  }
}
