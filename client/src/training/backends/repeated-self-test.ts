import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { BackendName, BackendRecord, TrainingBackend } from './backend.js';
import { selfTest } from './self-test.js';

const EVERY_MS = 60_000;
/** What may round otherwise from one time to the next. */
const DEVICES: ReadonlySet<BackendName> = new Set(['gpu', 'webgpu']);

/**
 * The self-test again between jobs, at most once a minute: memory and devices fail in the middle of runs.
 *
 * A CPU has to repeat its results bit by bit; a device may round differently, but not be wrong.
 */
export class RepeatedSelfTest {
  #last: number;

  constructor(
    private readonly backend: TrainingBackend,
    private readonly record: Pick<BackendRecord, 'selfTestDigest'>,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#last = now();
  }

  /** @throws E_BACKEND_DRIFT when a backend that was right is wrong now */
  check(): void {
    if (this.now() - this.#last < EVERY_MS) return;
    const digest = this.#digest();
    this.#last = this.now();
    if (!DEVICES.has(this.backend.name) && digest !== this.record.selfTestDigest)
      throw drift(`the self-test of the ${this.backend.name} backend has other results than at its start`);
  }

  #digest(): string {
    try {
      return selfTest(this.backend);
    } catch (error) {
      throw isRegulonError(error, 'E_BACKEND') ? drift(error.message) : error;
    }
  }
}

const drift = (message: string): RegulonError => new RegulonError('E_BACKEND_DRIFT', message);
