import { type PrivacyBudget, spendingOf, type Spending } from '@regulon/shared/privacy';
import { type DaemonConfig, readSitePolicy } from '../config/index.js';
import { readLedger } from '../state/index.js';

/** What a run has charged. */
export interface RunCharges {
  readonly run: string;
  readonly charges: number;
  /** the mechanisms, each once */
  readonly mechanisms: readonly string[];
}

/** What the dataset of a site may cost, has cost, and by which runs. */
export interface SiteBudget {
  readonly dataset: string;
  /** null: the policy sets none, and releases are only recorded */
  readonly budget: PrivacyBudget | null;
  readonly spent: Spending;
  /** ε that is left; null without a budget */
  readonly left: number | null;
  readonly runs: readonly RunCharges[];
}

/** The part of a daemon's configuration that says whose budget it is. */
export type BudgetPlace = Pick<DaemonConfig, 'policyFile' | 'stateFolder'> & {
  readonly dataset: Pick<DaemonConfig['dataset'], 'name'>;
};

/** δ at which spending is shown where the policy names none. */
const DISPLAY_DELTA = 1e-5;

/**
 * Recompute the spending of a site from its ledger, also while its daemon runs; nothing is changed.
 *
 * @throws E_LEDGER when the ledger was edited, E_NOT_FOUND when the site has no state yet, E_CONFIG
 */
export function siteBudgetOf(config: BudgetPlace): SiteBudget {
  const budget = readSitePolicy(config.policyFile).privacy ?? null;
  const { name } = config.dataset;
  const charges = readLedger(config.stateFolder).filter(({ dataset }) => dataset === name);
  const spent = spendingOf(charges, budget?.delta ?? DISPLAY_DELTA);
  const runs = [...new Set(charges.map(({ run }) => run))].map((run) => {
    const own = charges.filter((charge) => charge.run === run);
    const mechanisms = [...new Set(own.map(({ event }) => event.mechanism))];
    return { run, charges: own.length, mechanisms };
  });
  const left = budget && Math.max(0, budget.epsilon - spent.epsilon);
  return { dataset: name, budget, spent, left, runs };
}
