import type { ModelFrame } from '../models/index.js';
import type { Plan } from '../plan/index.js';

/** Channels of one time step of a series: its value, and whether it was observed. */
const SERIES_CHANNELS = 2;

/**
 * Shape of one prepared unit and width of the output, as a plan asks of its model.
 *
 * @param features prepared features of a unit: genes that are kept, or 1 for a series
 */
export function modelFrameOf(plan: Plan, features: number): ModelFrame {
  return {
    inputShape: plan.dataset.kind === 'series' ? [SERIES_CHANNELS, features] : [features],
    outputs: plan.task === 'classify' ? (plan.label?.classes.length ?? 0) : features,
  };
}
