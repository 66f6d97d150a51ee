import { runName } from '@regulon/shared/program';
import { RunEvents } from './run-events.js';

/** Boards of ended runs that are kept for readers that reconnect. */
const KEPT_BOARDS = 8;

/** Live events of the runs under way, and of those that ended last. */
export class RunBoards {
  private readonly boards = new Map<string, RunEvents>();

  /** @param now ms since the epoch */
  constructor(private readonly now: () => number) {}

  /** Boards held in memory. */
  get size(): number {
    return this.boards.size;
  }

  /** The board of a run, made when there is none; the oldest one that nobody needs makes room. */
  of(runId: Uint8Array): RunEvents {
    const name = runName(runId);
    const known = this.boards.get(name);
    if (known) return known;
    if (this.boards.size >= KEPT_BOARDS) this.removeOldest();
    const made = new RunEvents(this.now);
    this.boards.set(name, made);
    return made;
  }

  private removeOldest(): void {
    for (const [name, board] of this.boards) {
      if (board.isDisposable) return void this.boards.delete(name);
    }
  }
}
