import { designRound } from '../batch/design-round.js';
import { withStep } from '../specification.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import { moderatedTest } from './moderated-test.js';
import { voomRounds } from './voom-rounds.js';
import { voomStateOf, withVoomState } from './voom-state.js';

/**
 * limma-voom as steps of a preparation: the count round of its design, then its five sums. What the rounds know stands as
 * the last step of the specification, and gives way to the table of the test.
 *
 * @param columns covariates of the model as positions in the plan's design
 * @param contrast one number a covariate
 * @throws E_DESIGN in the first round, before any value is summed
 */
export function voomSteps(
  columns: readonly number[],
  contrast: readonly number[],
  options: StatisticsOptions,
): StatisticsStep[] {
  const rounds = voomRounds(columns, options);
  const last = rounds.at(-1);
  const steps = rounds.map((round): StatisticsStep => ({
    ...round,
    length: (spec) => round.length(voomStateOf(spec)),
    local: (view, spec) => round.local(view, voomStateOf(spec)),
    fit: (spec, sums, contributors) => {
      const state = round.fit(voomStateOf(spec), sums, contributors);
      if (round !== last) return withVoomState(state);
      return withStep(state.spec, {
        step: 'limma-voom',
        covariates: Uint32Array.from(columns),
        contrast: Float64Array.from(contrast),
        table: moderatedTest(state, contrast),
      });
    },
  }));
  return [{ ...designRound(columns, options), id: 'voom-design' }, ...steps];
}
