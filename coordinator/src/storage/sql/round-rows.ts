import type { AttemptTable, BlobTable, OutcomeTable } from '../schema.js';
import { query, type Store } from './database.js';

/** An attempt at a round. */
export interface AttemptKey {
  readonly runId: Uint8Array;
  readonly round: number;
  readonly attempt: number;
}

/** Columns by which the tables of attempts find their rows. */
export const atAttempt = ({ runId, round, attempt }: AttemptKey) =>
  ({ run_id: runId, round, attempt }) as const;
const atRound = (runId: Uint8Array, round: number) => ({ run_id: runId, round }) as const;

/** Rows of rounds, attempts and messages. Every method is synchronous, so callers compose transactions. */
export class RoundRows {
  constructor(private readonly store: Store) {}

  /** JSON of the round machine, or undefined before its first event. */
  state(runId: Uint8Array, round: number): string | undefined {
    const q = query
      .selectFrom('rounds')
      .select('state')
      .where((eb) => eb.and(atRound(runId, round)));
    return this.store.first(q)?.state;
  }

  saveState(runId: Uint8Array, round: number, state: string): void {
    this.store.run(
      query
        .insertInto('rounds')
        .values({ run_id: runId, round, state })
        .onConflict((c) => c.columns(['run_id', 'round']).doUpdateSet({ state })),
    );
  }

  /** A new attempt, or a new offer of one that nobody was bound to: its messages and stages start empty. */
  openAttempt(key: AttemptKey, manifest: Uint8Array, signature: Uint8Array, now: number): void {
    const values = { ...atAttempt(key), manifest, signature, opened_ms: now };
    for (const table of ['messages', 'stages', 'attempts'] as const) {
      this.store.run(query.deleteFrom(table).where((eb) => eb.and(atAttempt(key))));
    }
    this.store.run(query.insertInto('attempts').values({ ...values, outcome: 'open' }));
  }

  attempt(key: AttemptKey): AttemptTable | undefined {
    return this.store.first(
      query
        .selectFrom('attempts')
        .selectAll()
        .where((eb) => eb.and(atAttempt(key))),
    );
  }

  /** The newest attempt of a round. */
  lastAttempt(runId: Uint8Array, round: number): AttemptTable | undefined {
    return this.store.first(
      query
        .selectFrom('attempts')
        .selectAll()
        .where((eb) => eb.and(atRound(runId, round)))
        .orderBy('attempt', 'desc')
        .limit(1),
    );
  }

  /** Attempts of a round that have ended, in their order. */
  endedAttempts(runId: Uint8Array, round: number): AttemptTable[] {
    return this.store.all(
      query
        .selectFrom('attempts')
        .selectAll()
        .where((eb) => eb.and(atRound(runId, round)))
        .where('outcome', '!=', 'open')
        .orderBy('attempt'),
    );
  }

  endAttempt(
    key: AttemptKey,
    end: {
      outcome: 'closed' | 'aborted';
      transcript: Uint8Array;
      signature: Uint8Array;
      reason: string | null;
    },
  ): void {
    const { outcome, transcript, signature, reason } = end;
    this.store.run(
      query
        .updateTable('attempts')
        .set({ outcome, transcript, end_signature: signature, reason })
        .where((eb) => eb.and(atAttempt(key))),
    );
  }

  /** T of the attempt that ended last in a run, or undefined before the first. */
  lastTranscript(runId: Uint8Array): Uint8Array | undefined {
    const q = query
      .selectFrom('attempts')
      .select('transcript')
      .where('run_id', '=', runId)
      .where('outcome', '!=', 'open')
      .orderBy('round', 'desc')
      .orderBy('attempt', 'desc')
      .limit(1);
    return this.store.first(q)?.transcript ?? undefined;
  }

  markStage(key: AttemptKey, stage: string, now: number): void {
    this.store.run(
      query
        .insertInto('stages')
        .values({ ...atAttempt(key), stage, at_ms: now })
        .onConflict((c) => c.doNothing()),
    );
  }

  /** Times of the persisted steps of an attempt, in their order. */
  stages(key: AttemptKey): { stage: string; at_ms: number }[] {
    return this.store.all(
      query
        .selectFrom('stages')
        .select(['stage', 'at_ms'])
        .where((eb) => eb.and(atAttempt(key)))
        .orderBy('at_ms'),
    );
  }

  message(key: AttemptKey, kind: string, site: number): Uint8Array | undefined {
    return this.store.first(this.messagesOf(key, kind).where('site', '=', site))?.bytes;
  }

  messages(key: AttemptKey, kind: string): { site: number; bytes: Uint8Array }[] {
    return this.store.all(this.messagesOf(key, kind).orderBy('site'));
  }

  putMessage(key: AttemptKey, kind: string, site: number, bytes: Uint8Array): void {
    this.store.run(query.insertInto('messages').values({ ...atAttempt(key), kind, site, bytes }));
  }

  putRoundEntry(key: AttemptKey, kind: string, site: number, index: number): void {
    this.store.run(
      query
        .insertInto('round_entries')
        .values({ ...atAttempt(key), kind, site, entry_index: index })
        .onConflict((c) => c.doNothing()),
    );
  }

  /** Entries of one kind about an attempt, by site. */
  roundEntries(key: AttemptKey, kind: string): { site: number; entry_index: number }[] {
    return this.store.all(
      query
        .selectFrom('round_entries')
        .select(['site', 'entry_index'])
        .where((eb) => eb.and(atAttempt(key)))
        .where('kind', '=', kind)
        .orderBy('site'),
    );
  }

  putOutcome(row: OutcomeTable): void {
    this.store.run(query.insertInto('outcomes').values(row));
  }

  /** How a round closed. */
  outcome(runId: Uint8Array, round: number): OutcomeTable | undefined {
    return this.store.first(
      query
        .selectFrom('outcomes')
        .selectAll()
        .where((eb) => eb.and(atRound(runId, round))),
    );
  }

  /** Number of closed rounds of a run. */
  countClosed(runId: Uint8Array): number {
    const count = query.fn.countAll<number>().as('n');
    return this.store.first(query.selectFrom('outcomes').select(count).where('run_id', '=', runId))?.n ?? 0;
  }

  /** Closed rounds of a run in order. */
  outcomes(runId: Uint8Array): OutcomeTable[] {
    return this.store.all(
      query.selectFrom('outcomes').selectAll().where('run_id', '=', runId).orderBy('round'),
    );
  }

  putBlob(row: BlobTable): void {
    this.store.run(
      query
        .insertInto('blobs')
        .values(row)
        .onConflict((c) => c.doNothing()),
    );
  }

  removeBlob(digest: Uint8Array): void {
    this.store.run(query.deleteFrom('blobs').where('digest', '=', digest));
  }

  blobs(runId: Uint8Array): BlobTable[] {
    return this.store.all(query.selectFrom('blobs').selectAll().where('run_id', '=', runId));
  }

  /** All sums that are kept. */
  aggregates(): Pick<BlobTable, 'digest' | 'run_id'>[] {
    return this.store.all(
      query.selectFrom('blobs').select(['digest', 'run_id']).where('kind', '=', 'aggregate'),
    );
  }

  /** The blob whose digest begins with these bytes. */
  blobByPrefix(prefix: Uint8Array): BlobTable | undefined {
    const end = Buffer.concat([prefix, Buffer.alloc(32 - prefix.length, 0xff)]);
    return this.store.first(
      query
        .selectFrom('blobs')
        .selectAll()
        .where('digest', '>=', Buffer.from(prefix))
        .where('digest', '<=', end)
        .limit(1),
    );
  }

  private messagesOf(key: AttemptKey, kind: string) {
    return query
      .selectFrom('messages')
      .select(['site', 'bytes'])
      .where((eb) => eb.and(atAttempt(key)))
      .where('kind', '=', kind);
  }
}
