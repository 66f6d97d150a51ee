import type { Kind } from './kinds.js';
import type { LogEntry } from './schema.js';

/** Entries that say whether a site's data may be used, in the order of the log. */
export type ConsentEntry = LogEntry<
  'dataset.commit' | 'dataset.withdraw' | 'plan.approve' | 'plan.reject' | 'plan.withdraw'
>;

/** Kinds of entries that say whether a site's data may be used. */
export const CONSENT_KINDS: readonly Kind[] = [
  'dataset.commit',
  'dataset.withdraw',
  'plan.approve',
  'plan.reject',
  'plan.withdraw',
] satisfies ConsentEntry['kind'][];

/** True for an entry that says whether a site's data may be used. */
export function isConsent(entry: LogEntry): entry is ConsentEntry {
  return CONSENT_KINDS.includes(entry.kind);
}

/** What the stewards of all sites have taken back, entry after entry. */
export class Withdrawals {
  /** What entries of a log take back, in its order; other kinds are passed over. */
  static of(entries: Iterable<LogEntry>): Withdrawals {
    const found = new Withdrawals();
    for (const entry of entries) if (isConsent(entry)) found.take(entry);
    return found;
  }

  private readonly datasets = new Map<string, 'all' | 'commitment'>();
  /** the newest commitment of each, and those that were taken back */
  private readonly commitments = new Map<string, string>();
  private readonly takenBack = new Set<string>();
  private readonly plans = new Map<string, 'rejected' | 'withdrawn'>();

  /** Take the next entry of the log. */
  take(entry: ConsentEntry): void {
    const site = entry.actor.id;
    switch (entry.kind) {
      case 'dataset.withdraw':
        this.withdraw(keyOf(site, entry.body.dataset), entry.body.scope);
        return;
      case 'dataset.commit':
        this.commit(keyOf(site, entry.body.dataset), entry.body.commitment);
        return;
      case 'plan.approve':
        this.plans.delete(keyOf(site, entry.body.planHash));
        return;
      case 'plan.reject':
      case 'plan.withdraw':
        this.plans.set(
          keyOf(site, entry.body.planHash),
          entry.kind === 'plan.reject' ? 'rejected' : 'withdrawn',
        );
    }
  }

  private withdraw(dataset: string, scope: 'all' | 'commitment'): void {
    this.takenBack.add(`${dataset} ${this.commitments.get(dataset) ?? ''}`);
    if (this.datasets.get(dataset) !== 'all') this.datasets.set(dataset, scope);
  }

  /** What was taken back stays so, whoever commits to it again; other data are other data. */
  private commit(dataset: string, commitment: string): void {
    this.commitments.set(dataset, commitment);
    if (this.takenBack.has(`${dataset} ${commitment}`))
      this.datasets.set(dataset, this.datasets.get(dataset) ?? 'commitment');
    else if (this.datasets.get(dataset) !== 'all') this.datasets.delete(dataset);
  }

  /** Whether a site's dataset may not be used. */
  isWithdrawn(site: string, dataset: string): boolean {
    return this.datasets.has(keyOf(site, dataset));
  }

  /** Whether no later commitment brings a site's dataset back. */
  isGone(site: string, dataset: string): boolean {
    return this.datasets.get(keyOf(site, dataset)) === 'all';
  }

  /** What the last word of a site's steward on a plan is, when it is no approval. */
  refusalOf(site: string, planHash: string): 'rejected' | 'withdrawn' | undefined {
    return this.plans.get(keyOf(site, planHash));
  }
}

const keyOf = (site: string, what: string): string => `${site} ${what}`;
