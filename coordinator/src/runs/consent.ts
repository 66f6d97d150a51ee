import type { Plan } from '@regulon/shared/plan';
import {
  CONSENT_KINDS,
  digestText,
  type Kind,
  type LogEntry,
  parseEntry,
  Withdrawals,
} from '@regulon/shared/transparency';
import type { Sequencer } from '../audit/index.js';
import type { RunTable } from '../storage/index.js';

type ReadLog = Pick<Sequencer, 'indexesOfKind' | 'entry'>;

/** What stewards have taken back, by the whole log. */
export const withdrawalsIn = (log: ReadLog): Withdrawals => Withdrawals.of(entriesOf(log, CONSENT_KINDS, 0));

function entriesOf(log: ReadLog, kinds: readonly Kind[], from: number): LogEntry[] {
  const indexes = kinds.flatMap((kind) => log.indexesOfKind(kind)).filter((index) => index >= from);
  return indexes.sort((a, b) => a - b).map((index) => parseEntry(log.entry(index)));
}

/** What a steward said against a run, and when: RFC 3339, by the steward's own clock. */
export interface Refusal {
  readonly word: 'rejected' | 'withdrawn' | 'data withdrawn';
  readonly at: string;
}

const KIND_OF = {
  rejected: 'plan.reject',
  withdrawn: 'plan.withdraw',
  'data withdrawn': 'dataset.withdraw',
} as const;

/**
 * What the stewards of a run's sites said against it: before it began, what holds now; once it has begun, whatever they
 * said since, also when they allow a later run of the same plan or data.
 *
 * @param start index of the entry with which it began, undefined before
 * @returns by name of the site
 */
export function refusalsOf(
  log: ReadLog,
  row: Pick<RunTable, 'plan' | 'plan_hash'>,
  start: number | undefined,
): ReadonlyMap<string, Refusal> {
  const kinds = start === undefined ? CONSENT_KINDS : Object.values(KIND_OF);
  const entries = entriesOf(log, kinds, start ?? 0);
  const taken = Withdrawals.of(entries);
  const { sites, dataset } = JSON.parse(row.plan) as Plan;
  const found = new Map<string, Refusal>();
  for (const site of sites) {
    const word = refusalOf(row, site, dataset.name, taken);
    if (word === null) continue;
    const said = entries.findLast(({ actor, kind }) => actor.id === site && kind === KIND_OF[word]);
    if (said) found.set(site, { word, at: said.at });
  }
  return found;
}

/** What a site's steward said against a run: to its plan, or to the dataset that it reads; null = nothing. */
export function refusalOf(
  row: Pick<RunTable, 'plan_hash'>,
  site: string,
  dataset: string,
  taken: Withdrawals,
): Refusal['word'] | null {
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
