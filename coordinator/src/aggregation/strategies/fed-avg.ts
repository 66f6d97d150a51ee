import { serverStepOf } from '@regulon/shared/program';
import type { Strategy } from './strategy.js';

/**
 * FedAvg: next = global + Σ w̃ᵢΔᵢ / Σ w̃ᵢ; also FedSGD, whose update is one gradient step. With a robust rule of the plan the
 * same mean of each group, combined coordinate by coordinate.
 *
 * The arithmetic lies in `shared`, because every site derives the model itself.
 *
 * @see McMahan et al. 2017, Algorithm 1
 */
export const fedAvg: Strategy = ({ terms }) => serverStepOf(terms);
