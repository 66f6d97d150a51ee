import type { ServerResponse } from 'node:http';
import type { RunEvent } from '../runs/index.js';

const HEARTBEAT_MS = 15_000;
/** Unsent bytes at which a reader counts as stalled. */
const MAX_BACKLOG_BYTES = 4 << 20;

/**
 * Server-sent events to one reader, with a heartbeat; ends with the event `end`.
 *
 * A reader that takes nothing is cut off before it costs memory: it reconnects and goes on after its last event.
 */
export class EventStream {
  private readonly heartbeat: NodeJS.Timeout;
  private hasEnded = false;

  constructor(private readonly response: ServerResponse) {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    this.heartbeat = setInterval(() => this.write(': alive\n\n'), HEARTBEAT_MS);
    response.on('close', () => this.stop());
  }

  /** Whether the last event was sent. */
  get isOver(): boolean {
    return this.hasEnded;
  }

  /** What comes after the end is left out. */
  send(event: RunEvent): void {
    if (this.hasEnded) return;
    this.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    if (event.type !== 'end') return;
    this.stop();
    this.response.end();
  }

  private stop(): void {
    this.hasEnded = true;
    clearInterval(this.heartbeat);
  }

  private write(text: string): void {
    this.response.write(text);
    if (this.response.writableLength > MAX_BACKLOG_BYTES) this.response.destroy();
  }
}
