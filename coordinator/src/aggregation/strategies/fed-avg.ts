import { fedAvgStep } from '@regulon/shared/program';
import type { Strategy } from './strategy.js';

/**
 * FedAvg: next = global + Σ w̃ᵢΔᵢ / Σ w̃ᵢ; also FedSGD, whose update is one gradient step.
 *
 * The arithmetic lies in `shared`, because every site derives the model itself.
 *
 * @see McMahan et al. 2017, Algorithm 1
 */
export const fedAvg: Strategy = ({ terms }) => fedAvgStep(terms);
