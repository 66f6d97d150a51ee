import type { Plan } from '@regulon/shared/plan';
import { CONSENT_KINDS, digestText, parseEntry, Withdrawals } from '@regulon/shared/transparency';
import type { Sequencer } from '../audit/index.js';
import type { RunTable } from '../storage/index.js';

/** What stewards have taken back, by the whole log. */
export function withdrawalsIn(log: Pick<Sequencer, 'indexesOfKind' | 'entry'>): Withdrawals {
  const indexes = CONSENT_KINDS.flatMap((kind) => log.indexesOfKind(kind)).sort((a, b) => a - b);
  return Withdrawals.of(indexes.map((index) => parseEntry(log.entry(index))));
}

/** The first site of a run whose steward has taken plan or dataset back; undefined when none has. */
export function objectorOf(
  row: Pick<RunTable, 'plan' | 'plan_hash'>,
  taken: Withdrawals,
): string | undefined {
  const { sites, dataset } = JSON.parse(row.plan) as Plan;
  const planHash = digestText(new Uint8Array(row.plan_hash));
  return sites.find(
    (site) => taken.refusalOf(site, planHash) !== undefined || taken.isWithdrawn(site, dataset.name),
  );
}
