import type { RunEvent } from '@regulon/coordinator/runs';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { CoordinatorApi } from '../api-client/index.js';

const RETRY_MS = 500;
const GIVE_UP_MS = 60_000;
const FINAL: readonly string[] = ['COMPLETED', 'COMPLETED_PARTIAL', 'ABORTED', 'FAILED'];

/** Whether a run of this status has ended. */
export const isFinal = (status: string): boolean => FINAL.includes(status);

/**
 * Follow a run to its end; a lost connection is taken up again where it stopped.
 *
 * @param see every event, in order
 * @returns the final status, or null when `signal` ended it
 * @throws E_CONNECTION when the coordinator stays away for a minute
 */
export async function followRun(
  api: CoordinatorApi,
  run: string,
  see: (event: RunEvent) => void,
  signal?: AbortSignal,
): Promise<string | null> {
  let lastId = '0';
  let lastSeen = Date.now();
  while (!signal?.aborted) {
    try {
      const { status } = await api.run(run);
      if (lastId !== '0' && isFinal(status)) return status;
      for await (const { id, event } of api.events(run, lastId, signal)) {
        if (id !== '') lastId = id;
        lastSeen = Date.now();
        see(event);
        if (event.type === 'end') return event.status;
      }
    } catch (error) {
      if (signal?.aborted) return null;
      const lost = !isRegulonError(error) || error.retryable;
      if (!lost) throw error;
      if (Date.now() - lastSeen > GIVE_UP_MS) {
        throw new RegulonError('E_CONNECTION', `the coordinator has been away for a minute`, {
          cause: error,
        });
      }
    }
    await new Promise((done) => setTimeout(done, RETRY_MS));
  }
  return null;
}
