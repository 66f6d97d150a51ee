import type { RegulonError } from '@regulon/shared/errors';
import { pause } from '../../transport/index.js';
import { isPassing } from './failures.js';
import { namedError } from '../../errors/index.js';

const AGAIN_MS = 500;

/** How something that needs the coordinator is tried again. */
export interface Insistence {
  /** hears why it did not come about */
  readonly tell: (error: RegulonError) => void;
  /** errors that waiting does not mend, beside those of this site itself */
  readonly isFinal?: (error: RegulonError) => boolean;
  /** between two tries; default 500 */
  readonly pauseMs?: number;
}

/**
 * Do something that needs the coordinator, again and again while only the coordinator or the connection is to blame.
 *
 * @throws what this site itself finds
 */
export async function insist<T>(action: () => Promise<T>, how: Insistence): Promise<T> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      const named = namedError(error);
      if (!isPassing(named) || how.isFinal?.(named) === true) throw named;
      how.tell(named);
      await pause(how.pauseMs ?? AGAIN_MS);
    }
  }
}
