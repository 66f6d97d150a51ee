import type { BoardEvent, RoundFacts } from '../rounds/index.js';

/** What a board follows; `id` grows by one, so that a reader can go on where it stopped. */
export type RunEvent = { readonly id: number; readonly at: number } & (
  | BoardEvent
  | {
      readonly type: 'run';
      readonly status: string;
      readonly since: number;
      readonly reason: { code: string; message: string } | null;
    }
  | { readonly type: 'closed'; readonly facts: RoundFacts }
  | { readonly type: 'site-link'; readonly site: number; readonly connected: boolean }
  | { readonly type: 'beat'; readonly site: number; readonly round: number; readonly step: string }
  | { readonly type: 'end'; readonly status: string }
);

type Body<E> = E extends unknown ? Omit<E, 'id' | 'at'> : never;
/** An event before it has a number and a time. */
export type RunEventBody = Body<RunEvent>;

const KEPT = 2048;

/** Live events of one run: the last ones are kept, so that a reconnecting board misses nothing recent. */
export class RunEvents {
  private readonly kept: RunEvent[] = [];
  private readonly readers = new Set<(event: RunEvent) => void>();
  private lastId = 0;

  constructor(private readonly now: () => number) {}

  /** Nobody would miss anything: no reader, and nothing to tell a new one that the run's row does not say. */
  get isDisposable(): boolean {
    const last = this.kept.at(-1);
    return this.readers.size === 0 && (last === undefined || last.type === 'end');
  }

  emit(body: RunEventBody): void {
    const event = { ...body, id: ++this.lastId, at: this.now() } as RunEvent;
    this.kept.push(event);
    if (this.kept.length > KEPT) this.kept.shift();
    this.readers.forEach((reader) => reader(event));
  }

  /** Read events after `lastId`, then live ones. @returns stops */
  follow(lastId: number, reader: (event: RunEvent) => void): () => void {
    // ids start anew after a restart of the process: an unknown cursor begins with what is kept
    const from = lastId <= this.lastId ? lastId : 0;
    this.kept.filter((event) => event.id > from).forEach(reader);
    this.readers.add(reader);
    return () => this.readers.delete(reader);
  }
}
