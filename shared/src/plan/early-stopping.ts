import { z } from 'zod';
import { canonicalJsonBytes, enc, sha256, utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';

/** When the training of an arm ends, judged by what its validation rounds sum. */
export const stoppingRuleSchema = z.strictObject({
  /** `loss`: the smaller the better; `accuracy` of a classification: the larger */
  metric: z.enum(['loss', 'accuracy']).default('loss'),
  /** validation rounds without an improvement, after which no more is trained */
  patience: z.int().min(1).max(1000),
  /** an improvement is larger than this */
  minDelta: z.number().min(0).default(0),
});

/** A checked rule. */
export type StoppingRule = z.infer<typeof stoppingRuleSchema>;

/**
 * What a validation round says of a model, as the log has it: decimal strings of float64 ratios of sums.
 *
 * `loss` is the mean over units (of a reconstruction: the mean squared error of a value),
 * `accuracy` a share of units to the nearest 2⁻¹⁰.
 */
export interface ValidationFigures {
  readonly loss: string;
  readonly accuracy?: string;
}

/** Where the rule stands after some validation rounds. */
export interface StoppingState {
  /** index of the best one */
  readonly best: number;
  /** whether nothing more is trained */
  readonly stops: boolean;
}

/**
 * The rule over the figures of an arm, in the order of its validation rounds; coordinator, sites and verifiers decide
 * alike, by float64 comparisons of the decimals in the log.
 *
 * @throws E_STATE when there are no figures, or they lack the metric of the rule
 */
export function stoppingState(
  figures: readonly ValidationFigures[],
  { metric, patience, minDelta }: StoppingRule,
): StoppingState {
  const values = figures.map((figure) => Number(figure[metric]));
  if (values.length === 0 || values.some((value) => !Number.isFinite(value)))
    throw new RegulonError('E_STATE', `no ${metric} of a validation round to decide by`);
  const sign = metric === 'loss' ? 1 : -1;
  let [best, least] = [0, sign * (values[0] ?? 0)];
  values.forEach((value, i) => {
    if (sign * value < least - minDelta) [best, least] = [i, sign * value];
  });
  return { best, stops: values.length - 1 - best >= patience };
}

/** What follows from a validation round: the model that was scored, and its figures. @returns 32 bytes */
export function validationDigest(model: Uint8Array, figures: ValidationFigures): Uint8Array {
  return sha256(enc(utf8('regulon/validation/v1'), model, canonicalJsonBytes(figures)));
}
