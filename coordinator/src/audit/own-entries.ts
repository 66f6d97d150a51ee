import {
  type BodyOf,
  type ChangeKind,
  type ChainHead,
  digestText,
  type EntryDraft,
  type Kind,
  nextPosition,
  type NamedSeed,
  type ScopeOf,
  sealEntry,
} from '@regulon/shared/transparency';
import type { LogEnd } from './log-rows.js';

/** Kinds of entries that the coordinator writes by itself. */
export type OwnKind =
  | ChangeKind
  | 'run.start'
  | 'round.open'
  | 'round.aggregate'
  | 'round.abort'
  | 'round.reopen'
  | 'retention.delete'
  | 'run.finish'
  | 'config.start'
  | 'config.change'
  | 'access.request'
  | 'admin.act'
  | 'fork.evidence'
  | 'report.issued'
  | 'log.baseline'
  | 'log.prune'
  | 'anchor';

/** A body as the coordinator knows it; the sequencer fills what depends on the position in the log. */
export type OwnBody<K extends OwnKind> = K extends 'round.open'
  ? Omit<BodyOf<'round.open'>, 'chain' | 'size'>
  : BodyOf<K>;

/** An entry of the coordinator before it has a number. */
export type OwnEntry<K extends OwnKind = OwnKind> = K extends OwnKind
  ? ScopeOf<K> & { readonly kind: K; readonly body: OwnBody<K> }
  : never;

/** Where the next entry of the coordinator will stand. */
export interface OwnPlace {
  readonly fed: string;
  readonly head: ChainHead | undefined;
  readonly end: LogEnd;
  readonly now: Date;
}

/** Number, time and sign an entry of the coordinator. @returns canonical bytes */
export function sealOwn(own: OwnEntry, signer: NamedSeed, { fed, head, end, now }: OwnPlace): Uint8Array {
  const body =
    own.kind === 'round.open' ? { ...own.body, chain: digestText(end.chain), size: end.size } : own.body;
  const draft = {
    ...own,
    body,
    fed,
    actor: { type: 'coordinator', id: 'coordinator' },
    ...nextPosition(head, now),
  };
  return sealEntry(draft as EntryDraft<Kind>, [signer]);
}
