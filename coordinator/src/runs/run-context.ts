import type { RunProgram } from '@regulon/shared/program';
import type { RunContext } from '../rounds/index.js';
import type { RunsContext } from './runs-context.js';

/** Units of a dataset are at least these, by the band of its commitment. */
const lowestOfBand: Readonly<Record<string, number>> = {
  '<20': 0,
  '20-49': 20,
  '50-99': 50,
  '100-199': 100,
  '200-499': 200,
  '500+': 500,
};

/** What the rounds of one run share, from roster, configuration and the commitments of its sites. */
export function runContextOf(
  { runs, roster, rosterView, config }: RunsContext,
  program: RunProgram,
): RunContext {
  const { contract } = program;
  const datasets = runs.datasets(contract.plan.dataset.name);
  const isPublic = (id: number): boolean => datasets.get(id)?.is_public === 1;
  return {
    program,
    roster: rosterView,
    administrators: roster,
    uncounted: contract.isPublic ? [] : contract.sites.map((s) => s.id).filter(isPublic),
    config: config.rounds,
    keepSpools: config.retention.spools === 'keep',
    auditRounds: config.retention.auditRounds,
    unitsAtLeast: (sites) =>
      sites.reduce((sum, id) => sum + (lowestOfBand[datasets.get(id)?.band ?? '<20'] ?? 0), 0),
  };
}
