import type { Kind } from '../entries/kinds.js';
import type { LogEntry } from '../entries/schema.js';
import type { IndexedEntry } from './log-entries.js';

/** An entry of one kind with its place. */
export interface Placed<K extends Kind> {
  readonly index: number;
  readonly entry: LogEntry<K>;
  readonly hash: Uint8Array;
  readonly chainBefore: Uint8Array;
}

/** The entries of one run, sorted by what they are. */
export interface RunView {
  readonly run: string;
  /** index of its first entry */
  readonly first: number;
  readonly start: Placed<'run.start'> | undefined;
  readonly finish: Placed<'run.finish'> | undefined;
  readonly opens: readonly Placed<'round.open'>[];
  readonly contributions: readonly Placed<'round.contribution'>[];
  readonly egress: readonly Placed<'egress.receipt'>[];
  readonly unmasks: readonly Placed<'round.unmask'>[];
  readonly aggregates: readonly Placed<'round.aggregate'>[];
  readonly aborts: readonly Placed<'round.abort'>[];
  readonly reopens: readonly Placed<'round.reopen'>[];
  readonly deletions: readonly Placed<'retention.delete'>[];
  readonly acks: readonly Placed<'round.ack'>[];
  readonly releases: readonly Placed<'model.release'>[];
  readonly exports: readonly Placed<'model.export'>[];
}

/** Entries of one kind, in the order of the log. */
export function ofKind<K extends Kind>(entries: readonly IndexedEntry[], kind: K): Placed<K>[] {
  const isOfKind = (placed: IndexedEntry): placed is IndexedEntry & Placed<K> => placed.entry.kind === kind;
  return entries.filter(isOfKind);
}

/** The runs of a log in the order of their first entry. */
export function runsOf(entries: readonly IndexedEntry[]): RunView[] {
  const runs = new Map<string, [IndexedEntry, ...IndexedEntry[]]>();
  for (const indexed of entries) {
    const { run } = indexed.entry;
    if (run === undefined) continue;
    const own = runs.get(run);
    if (own === undefined) runs.set(run, [indexed]);
    else own.push(indexed);
  }
  return [...runs].map(([run, own]) => ({
    run,
    first: own[0].index,
    start: ofKind(own, 'run.start')[0],
    finish: ofKind(own, 'run.finish')[0],
    opens: ofKind(own, 'round.open'),
    contributions: ofKind(own, 'round.contribution'),
    egress: ofKind(own, 'egress.receipt'),
    unmasks: ofKind(own, 'round.unmask'),
    aggregates: ofKind(own, 'round.aggregate'),
    aborts: ofKind(own, 'round.abort'),
    reopens: ofKind(own, 'round.reopen'),
    deletions: ofKind(own, 'retention.delete'),
    acks: ofKind(own, 'round.ack'),
    releases: ofKind(own, 'model.release'),
    exports: ofKind(own, 'model.export'),
  }));
}
