import { sha256 } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import {
  digestText,
  faultsOfRelease,
  faultsOfTests,
  type Kind,
  type LogEntry,
  parseEntry,
  releasableRun,
  type ResolveAttachment,
} from '@regulon/shared/transparency';
import type { Sequencer } from '../audit/index.js';
import { withdrawalsIn } from './consent.js';

/** Entries by which a model leaves the federation. */
export type ReleaseEntry = LogEntry<'model.release' | 'model.export'>;

/** True for an entry by which a model leaves the federation. */
export function isRelease(entry: LogEntry): entry is ReleaseEntry {
  return entry.kind === 'model.release' || entry.kind === 'model.export';
}

/**
 * What a release is judged by beside the log: its reports, and the plan of its run.
 *
 * @param given attachments that come with the entry
 */
export async function releaseAttachments(
  sequencer: Sequencer,
  entry: ReleaseEntry,
  given: readonly Uint8Array[],
): Promise<ResolveAttachment> {
  const known = new Map(given.map((bytes) => [digestText(sha256(bytes)), bytes]));
  const tests = entry.kind === 'model.release' ? entry.body.tests.map(({ report }) => report.digest) : [];
  const plan = proposalOf(sequencer, entry.run)?.body.plan.digest;
  for (const digest of [...tests, ...(plan === undefined ? [] : [plan])]) {
    const bytes = known.get(digest) ?? (await kept(sequencer, digest));
    if (bytes) known.set(digest, bytes);
  }
  return (digest) => known.get(digest);
}

async function kept(sequencer: Sequencer, digest: string): Promise<Uint8Array | undefined> {
  try {
    return await sequencer.attachment(digest);
  } catch (error) {
    if (isRegulonError(error, 'E_NOT_FOUND')) return undefined;
    throw error;
  }
}

/**
 * Refuse what an auditor would find: the check protects nobody from this coordinator, it spares people a wrong log.
 *
 * @param resolve as `releaseAttachments` gives it
 * @throws E_RELEASE with the first rule that is broken
 */
export function verifyRelease(sequencer: Sequencer, entry: ReleaseEntry, resolve: ResolveAttachment): void {
  const { run } = entry;
  const proposal = proposalOf(sequencer, run);
  const finish = last(sequencer, run, 'run.finish');
  if (!proposal || !finish) {
    const why = sequencer.minimum > 0 ? 'has not ended, or its entries were pruned' : 'has not ended';
    throw refused(`${run} ${why}: nothing of it can be released`);
  }
  const contributions = entriesOf(sequencer, run, 'round.contribution');
  verifyConsent(sequencer, contributions);
  if (entry.kind === 'model.export') return verifyExport(sequencer, entry);
  const releasable = releasableRun({
    ...{ proposal: proposal.body, finish: finish.body, contributions, resolve },
    policies: sequencer.indexesOfKind('policy.set').map((index) => entryAt(sequencer, index, 'policy.set')),
  });
  const [fault] = [
    ...faultsOfRelease(releasable, entry, entry.body, sequencer.keys),
    ...faultsOfTests(releasable, entry, entry.body, resolve, sequencer.keys),
  ];
  if (fault !== undefined) throw refused(fault);
}

function verifyExport(sequencer: Sequencer, { run, body }: LogEntry<'model.export'>): void {
  const isOf = sequencer.indexesOf(run, 'model.release').includes(body.release);
  const release = isOf ? entryAt(sequencer, body.release, 'model.release').body : undefined;
  if (
    release?.model === body.model &&
    release.file.digest === body.file.digest &&
    release.file.size === body.file.size
  )
    return;
  throw refused(`entry ${body.release} releases no such file of ${body.model}`);
}

/** @throws E_RELEASE when a steward has taken back what went into the run */
function verifyConsent(sequencer: Sequencer, contributions: readonly LogEntry<'round.contribution'>[]): void {
  const withdrawals = withdrawalsIn(sequencer);
  const gone = contributions.find(({ actor, body }) => withdrawals.isWithdrawn(actor.id, body.dataset));
  if (gone)
    throw refused(`dataset ${gone.body.dataset} of ${gone.actor.id}, which is in the model, was withdrawn`);
}

function proposalOf(sequencer: Sequencer, run: string): LogEntry<'plan.propose'> | undefined {
  const start = last(sequencer, run, 'run.start');
  return start && entryAt(sequencer, start.body.proposal, 'plan.propose');
}

function last<K extends Kind>(sequencer: Sequencer, run: string, kind: K): LogEntry<K> | undefined {
  return entriesOf(sequencer, run, kind).at(-1);
}

function entriesOf<K extends Kind>(sequencer: Sequencer, run: string, kind: K): LogEntry<K>[] {
  return sequencer.indexesOf(run, kind).map((index) => entryAt(sequencer, index, kind));
}

function entryAt<K extends Kind>(sequencer: Sequencer, index: number, kind: K): LogEntry<K> {
  const entry = parseEntry(sequencer.entry(index));
  if (entry.kind !== kind) throw new RegulonError('E_STATE_DB', `entry ${index} is no ${kind}`);
  return entry as LogEntry<K>;
}

const refused = (why: string): RegulonError => new RegulonError('E_RELEASE', why);
