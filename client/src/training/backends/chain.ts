import { RegulonError, isRegulonError } from '@regulon/shared/errors';
import type { BackendRecord, TrainingBackend } from './backend.js';
import { type BackendChoice, type Candidate, chainOf } from './candidates.js';
import { backendRecord } from './record.js';
import { selfTest } from './self-test.js';
import { startCandidate } from './start-candidate.js';

export interface ChainOptions {
  readonly choice: BackendChoice;
  readonly threads: number;
  /** `<state>/accelerator` with libraries that the site installed */
  readonly acceleratorFolder?: string;
  /** members that ended an earlier process, and what is to stand in the record about them */
  readonly without?: readonly { readonly name: Candidate; readonly warning: string }[];
}

/**
 * Start the first backend of the chain `gpu` → `blas` → `wasm` that is there and passes its self-test.
 *
 * A pinned backend is not replaced by another one; a failing member of `auto` is, with a warning in the record.
 *
 * @param onTry told each member before it is loaded: native code may end the process
 * @throws E_BACKEND if none passes
 */
export async function startBackend(
  options: ChainOptions,
  onTry: (name: Candidate) => void = () => undefined,
): Promise<{ backend: TrainingBackend; record: BackendRecord }> {
  const { without = [] } = options;
  const warnings = without.map(({ warning }) => warning);
  for (const name of chainOf(options.choice)) {
    if (without.some((member) => member.name === name)) continue;
    try {
      onTry(name);
      const backend = await startCandidate(name, options);
      if (backend === undefined) continue;
      const started = performance.now();
      const selfTestDigest = selfTest(backend);
      const selfTestMilliseconds = Math.round(performance.now() - started);
      const found = { selfTestDigest, selfTestMilliseconds, warnings };
      return { backend, record: backendRecord(backend, options.threads, found) };
    } catch (error) {
      if (!isRegulonError(error, 'E_BACKEND')) throw error;
      warnings.push(error.message);
    }
  }
  const why =
    warnings.length > 0 ? warnings.join('; ') : `${options.choice} is not installed on this machine`;
  throw new RegulonError('E_BACKEND', `no training backend: ${why}`);
}
