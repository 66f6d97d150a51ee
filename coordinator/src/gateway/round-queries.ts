import { concatBytes, fromHex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { runName } from '@regulon/shared/program';
import { decodeMessage, encodeMessage, type RosterView } from '@regulon/shared/secagg';
import { digestText } from '@regulon/shared/transparency';
import { type Item, MAX_HASHES, type Query, type QueryOf } from '@regulon/shared/wire';
import type { Aggregator } from '../aggregation/index.js';
import type { Sequencer } from '../audit/index.js';
import type { Attempt, RoundDriver, RoundFacts, Spool } from '../rounds/index.js';
import type { RunsService } from '../runs/index.js';
import type { AttemptKey, FileBlobs, RoundRows, RunRows } from '../storage/index.js';
import { OpenedRounds } from './opened-rounds.js';

/** What queries are answered from. */
export interface QueryContext {
  readonly runs: RunsService;
  readonly runRows: RunRows;
  readonly rounds: RoundRows;
  readonly blobs: FileBlobs;
  readonly spool: Pick<Spool, 'pathOf'>;
  readonly aggregator: Aggregator;
  readonly sequencer: Sequencer;
  readonly roster: RosterView;
}

const MAX_LOG_ENTRIES = 1024;
const MAX_LOG_HASHES = 65_536;
/** Entries read at once; the next ones when these have left. */
const LOG_PAGE = 64;
type Ref = { readonly run: Uint8Array; readonly round: number };
type AttemptRef = Ref & { readonly attempt: number };

/** Answers what sites fetch; reads only. */
export class RoundQueries {
  private readonly opened: OpenedRounds;

  constructor(private readonly on: QueryContext) {
    this.opened = new OpenedRounds(on.rounds, on.roster);
  }

  async *answer(site: number, query: Query): AsyncGenerator<Item, void> {
    yield* await this.items(site, query);
  }

  private items(site: number, query: Query): Iterable<Item> | Promise<Iterable<Item>> {
    switch (query.type) {
      case 'runContract':
        return [this.runContract(query)];
      case 'manifest':
        return this.manifests(query);
      case 'advertised':
        return this.advertised(query);
      case 'deliveries':
        return this.deliveries(site, query);
      case 'survivors':
        return this.survivors(site, query);
      case 'signatures':
        return this.signatures(site, query);
      case 'closed':
        return this.closed(query);
      case 'logEntries':
        return this.logEntries(query);
      case 'consistencyProof':
        return [this.consistencyProof(query)];
      case 'spotTiles':
        return this.spotTiles(site, query);
      case 'revealed':
        return this.opened.of(site, attemptOf(query)).revealed;
      case 'answers':
        return this.opened.of(site, attemptOf(query)).answers;
      case 'attachment':
        return this.attachment(query);
      case 'logHashes':
        return this.logHashes(query);
    }
  }

  /** Whether a round has closed. */
  isClosed(run: Uint8Array, round: number): boolean {
    return this.on.rounds.lastAttempt(run, round)?.outcome === 'closed';
  }

  private runContract({ run }: QueryOf<'runContract'>): Item {
    const document = this.on.runRows.get(run)?.document;
    if (!document) throw new RegulonError('E_NOT_FOUND', `${runName(run)} has not started`);
    return { type: 'runContract', contract: new Uint8Array(document) };
  }

  /** What an entry of the log refers to: for every member, as the log itself. */
  private async attachment({ digest }: QueryOf<'attachment'>): Promise<Item[]> {
    const bytes = await this.on.sequencer.attachment(digestText(digest));
    return [{ type: 'attachment', bytes }];
  }

  private *manifests({ run, round }: QueryOf<'manifest'>): Generator<Item> {
    const row = this.on.rounds.lastAttempt(run, round);
    if (!row) throw new RegulonError('E_NOT_FOUND', `round ${round} of ${runName(run)} is not open`);
    const driver = this.driver({ run, round });
    if (row.outcome === 'open' && driver?.current?.key.attempt !== row.attempt) {
      throw new RegulonError('E_NOT_FOUND', `round ${round} of ${runName(run)} is being offered again`);
    }
    const ended = row.outcome === 'closed' ? 'closed' : 'aborted';
    const resumeStage = row.outcome === 'open' ? (driver?.stage ?? 'r0') : ended;
    const { manifest, signature, attempt } = row;
    yield {
      type: 'manifest',
      manifest: new Uint8Array(manifest),
      signature: new Uint8Array(signature),
      attempt,
      resumeStage,
    };
  }

  private *advertised(ref: QueryOf<'advertised'>): Generator<Item> {
    const { server } = this.reached(ref, ['share', 'input', 'consistency', 'unmask', 'fold']);
    for (const keys of server.closeU1())
      yield { type: 'advertised', message: encodeMessage('advertise', keys) };
  }

  private *deliveries(site: number, ref: QueryOf<'deliveries'>): Generator<Item> {
    const { server } = this.reached(ref, ['input', 'consistency', 'unmask', 'fold']);
    for (const delivery of server.groupOf(site).deliveriesFor(site))
      yield { type: 'deliveries', message: encodeMessage('delivery', delivery) };
  }

  /** U3 of a closed attempt, or of the site's group in the open one: always the same sets. */
  private *survivors(site: number, { run, round, attempt }: QueryOf<'survivors'>): Generator<Item> {
    const key = { runId: run, round, attempt };
    if (this.on.rounds.attempt(key)?.outcome === 'closed') {
      for (const { bytes } of this.on.rounds.messages(key, 'commit')) {
        const { id, root, sig } = decodeMessage('commit', new Uint8Array(bytes));
        yield { type: 'survivors', message: encodeMessage('survivor', { id, root, sig }) };
      }
      return;
    }
    const { server } = this.reached({ run, round, attempt }, ['consistency', 'unmask', 'fold']);
    for (const entry of server.groupOf(site).closeU3())
      yield { type: 'survivors', message: encodeMessage('survivor', entry) };
  }

  private *signatures(site: number, ref: QueryOf<'signatures'>): Generator<Item> {
    const { server } = this.reached(ref, ['unmask', 'fold']);
    for (const signature of server.groupOf(site).signatures())
      yield { type: 'signatures', message: encodeMessage('consistency', signature) };
  }

  /** How the attempts of a round ended, in their order. */
  private *closed({ run, round }: QueryOf<'closed'>): Generator<Item> {
    const outcome = this.on.rounds.outcome(run, round);
    for (const row of this.on.rounds.endedAttempts(run, round)) {
      const isClosed = row.outcome === 'closed' && outcome?.attempt === row.attempt;
      yield {
        type: 'closed',
        attempt: row.attempt,
        outcome: row.outcome === 'closed' ? 'closed' : 'aborted',
        transcript: new Uint8Array(row.transcript ?? new Uint8Array(32)),
        signature: new Uint8Array(row.end_signature ?? new Uint8Array(64)),
        aggregateRoot: isClosed ? new Uint8Array(outcome.aggregate_root) : new Uint8Array(0),
        modelHash: isClosed && outcome.model_hash ? new Uint8Array(outcome.model_hash) : new Uint8Array(0),
        reason: row.reason ?? '',
        groupRoots: isClosed ? groupRootsOf(outcome.facts) : [],
      };
    }
  }

  private *logEntries({ from, to }: QueryOf<'logEntries'>): Generator<Item> {
    const end = Math.min(to, from + MAX_LOG_ENTRIES);
    for (let at = from; at < end; at += LOG_PAGE) {
      const entries = this.on.sequencer.entries(at, Math.min(end, at + LOG_PAGE));
      if (entries.length === 0) return;
      for (const [i, entry] of entries.entries())
        yield { type: 'logEntries', index: at + i, entry: new Uint8Array(entry) };
    }
  }

  /** Hashes outlive their entries: who begins with a pruned log recomputes its root from them. */
  private *logHashes({ from, to }: QueryOf<'logHashes'>): Generator<Item> {
    const { sequencer } = this.on;
    const end = Math.min(to, from + MAX_LOG_HASHES);
    for (let index = from; index < end; index += MAX_HASHES) {
      const hashes = concatBytes(...sequencer.hashes(index, Math.min(end, index + MAX_HASHES)));
      if (hashes.length === 0) return;
      yield { type: 'logHashes', index, hashes, minimum: sequencer.minimum };
    }
  }

  private consistencyProof({ oldSize, newSize }: QueryOf<'consistencyProof'>): Item {
    const latest = this.on.sequencer.latest();
    if (newSize !== 0 && newSize !== latest.size)
      throw new RegulonError('E_NOT_FOUND', `the newest checkpoint has size ${latest.size}`);
    return {
      type: 'consistencyProof',
      note: latest.note,
      hashes: this.on.sequencer.consistency(oldSize, latest.size),
    };
  }

  /**
   * Pieces of every survivor's upload and of the sum, with paths. With sub-cohorts: of the survivors of the site's group,
   * and of the sum of every group, which stands under the number of the group from 1.
   */
  private async spotTiles(site: number, { run, round, tiles }: QueryOf<'spotTiles'>): Promise<Item[]> {
    const outcome = this.on.rounds.outcome(run, round);
    if (!outcome) throw new RegulonError('E_NOT_FOUND', `round ${round} of ${runName(run)} has not closed`);
    const key = { runId: run, round, attempt: outcome.attempt };
    const { groups = [] } = JSON.parse(outcome.facts) as RoundFacts;
    const survivors =
      groups.length === 0
        ? (JSON.parse(outcome.survivors) as number[])
        : (groups.find(({ sites }) => sites.includes(site))?.survivors ?? []);
    const paths = [
      ...survivors.map((id) => this.on.spool.pathOf(key, id)),
      this.on.blobs.pathOf(outcome.aggregate_root),
      ...groups.map(({ aggregateRoot }) => this.on.blobs.pathOf(fromHex(aggregateRoot))),
    ];
    const opened = await this.on.aggregator.run({ kind: 'spot', paths, tiles }).catch((cause: unknown) => {
      if (cause instanceof RegulonError && cause.code !== 'E_INTERNAL') throw cause;
      throw new RegulonError('E_NOT_FOUND', `the uploads of round ${round} are no longer kept`, { cause });
    });
    return opened.flatMap((files, t) =>
      files.map(({ tile, path }, i) => ({
        type: 'spotTiles' as const,
        index: tiles[t] ?? 0,
        aggregate: i >= survivors.length,
        site: survivors[i] ?? i - survivors.length,
        tile,
        path: [...path],
      })),
    );
  }

  private driver({ run, round }: Ref): RoundDriver | undefined {
    const driver = this.on.runs.driverOf(run)?.round;
    return driver?.round.round === round ? driver : undefined;
  }

  /** The open attempt, once it has reached one of these phases. @throws E_STATE */
  private reached(ref: AttemptRef, phases: readonly string[]): Attempt {
    const driver = this.driver(ref);
    if (!driver) throw new RegulonError('E_STATE', `round ${ref.round} of ${runName(ref.run)} is not open`);
    const attempt = driver.expectAttempt(ref.attempt);
    if (!phases.includes(driver.phase))
      throw new RegulonError('E_STATE', `round ${ref.round} is still at ${driver.phase}`);
    return attempt;
  }
}

const attemptOf = ({ run, round, attempt }: AttemptRef): AttemptKey => ({ runId: run, round, attempt });

/** Roots of the sums of the groups of a closed round, from the facts that a board shows. */
function groupRootsOf(facts: string): Uint8Array[] {
  const { groups = [] } = JSON.parse(facts) as RoundFacts;
  return groups.map(({ aggregateRoot }) => fromHex(aggregateRoot, 32));
}
