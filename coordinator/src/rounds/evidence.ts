import { canonicalJsonBytes } from '@regulon/shared/crypto';
import type { RoundRows } from '../storage/index.js';
import type { Attempt } from './attempt.js';

/** PROVISIONAL */
export function evidenceOf(attempt: Attempt, responders: readonly number[], rows?: RoundRows): Uint8Array {
  void rows;
  return canonicalJsonBytes({ responders: [...responders], ctx: Buffer.from(attempt.ctx).toString('hex') });
}
