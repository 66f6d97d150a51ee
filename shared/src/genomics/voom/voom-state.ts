import { RegulonError } from '../../errors/index.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import type { VoomFit } from './voom-fit.js';

/** What the rounds of limma-voom know so far. */
export interface VoomState extends Partial<Omit<VoomFit, 'step'>> {
  /** counts, and the genes that the expression filter kept */
  readonly spec: FeatureSpecification;
}

/** Splits a specification into what stood before the test and what its rounds know. */
export function voomStateOf(spec: FeatureSpecification): VoomState {
  const last = spec.steps.at(-1);
  if (last?.step !== 'voom') return { spec };
  const { step: _step, ...known } = last;
  return { ...known, spec: { ...spec, steps: spec.steps.slice(0, -1) } };
}

/** The specification with what the rounds know as its last step. */
export function withVoomState(state: VoomState): FeatureSpecification {
  const { spec, ...known } = state;
  return withStep(spec, { step: 'voom', ...known, logQuartile: required(state, 'logQuartile') });
}

/** A part of the state. @throws E_STATE when the rounds came in another order */
export function required<K extends keyof VoomState>(state: VoomState, key: K): NonNullable<VoomState[K]> {
  const value = state[key];
  if (value === undefined) throw new RegulonError('E_STATE', `limma-voom: ${key} is not known yet`);
  return value;
}
