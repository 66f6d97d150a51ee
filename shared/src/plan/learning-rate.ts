import { z } from 'zod';

const share = z.number().min(0).max(1);
/** rounds in which the rate rises evenly from 0, step by step */
const warmupRounds = z.int().min(0).max(10_000).default(0);

/** How the learning rate of the optimiser changes over the training rounds of an arm; behind the warm-up, if any. */
export const scheduleSchema = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('constant'), warmupRounds }),
  /** times `factor` each `every` rounds */
  z.strictObject({
    name: z.literal('step'),
    every: z.int().min(1).max(10_000),
    factor: z.number().positive().max(1).default(0.1),
    warmupRounds,
  }),
  /** half a cosine from 1 down to `floor` at the end of the last round */
  z.strictObject({ name: z.literal('cosine'), floor: share.default(0), warmupRounds }),
]);

/** Schedule of a learning rate. */
export type Schedule = z.infer<typeof scheduleSchema>;

/** Where a local step stands in the training of its arm. */
export interface StepPosition {
  /** training rounds of the arm that are over, a whole number from 0 */
  readonly from: number;
  /** training rounds that these local steps make up; 1 in a federated round */
  readonly span: number;
  /** training rounds of the plan */
  readonly rounds: number;
  /** local step, from 0 */
  readonly step: number;
  /** local steps */
  readonly steps: number;
}

/**
 * Factor of the learning rate at a local step. It reads rounds and the share of the local steps that is done, so that
 * sites with other numbers of units agree where a round begins and ends.
 *
 * @returns in [0, 1]; above 0 in a warm-up
 * @see Loshchilov & Hutter 2017, eq. 5, without restarts; Goyal et al. 2017, 2.2 (gradual warm-up)
 */
export function rateFactor(schedule: Schedule, { from, span, rounds, step, steps }: StepPosition): number {
  const { warmupRounds } = schedule;
  const begun = from + (span * step) / steps;
  if (begun < warmupRounds) return Math.min(1, (from + (span * (step + 1)) / steps) / warmupRounds);
  const after = begun - warmupRounds;
  switch (schedule.name) {
    case 'constant':
      return 1;
    case 'step':
      return schedule.factor ** Math.floor(after / schedule.every);
    case 'cosine': {
      const done = after / (rounds - warmupRounds);
      return schedule.floor + ((1 - schedule.floor) * (1 + Math.cos(Math.PI * done))) / 2;
    }
  }
}
