import type { Plan } from '@regulon/shared/plan';
import { CONSENT_KINDS, digestText, parseEntry, Withdrawals } from '@regulon/shared/transparency';
import type { Sequencer } from '../audit/index.js';
import type { RunTable } from '../storage/index.js';

/** What stewards have taken back, by the whole log. */
export function withdrawalsIn(log: Pick<Sequencer, 'indexesOfKind' | 'entry'>): Withdrawals {
  const indexes = CONSENT_KINDS.flatMap((kind) => log.indexesOfKind(kind)).sort((a, b) => a - b);
  return Withdrawals.of(indexes.map((index) => parseEntry(log.entry(index))));
}

/** What a site's steward said against a run: to its plan, or to the dataset that it reads; null = nothing. */
export function refusalOf(
  row: Pick<RunTable, 'plan_hash'>,
  site: string,
  dataset: string,
  taken: Withdrawals,
): 'rejected' | 'withdrawn' | 'data withdrawn' | null {
  const planHash = digestText(new Uint8Array(row.plan_hash));
  return taken.refusalOf(site, planHash) ?? (taken.isWithdrawn(site, dataset) ? 'data withdrawn' : null);
}

/** The first site of a run whose steward has taken plan or dataset back; undefined when none has. */
export function objectorOf(
  row: Pick<RunTable, 'plan' | 'plan_hash'>,
  taken: Withdrawals,
): string | undefined {
  const { sites, dataset } = JSON.parse(row.plan) as Plan;
  return sites.find((site) => refusalOf(row, site, dataset.name, taken) !== null);
}
