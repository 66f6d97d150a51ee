import type { ErrorCode, RegulonError } from '@regulon/shared/errors';
import { pause } from '../../transport/index.js';
import { isPassing } from './failures.js';
import { namedError } from '../../errors/index.js';

const AGAIN_MS = 500;
/** An error that stays is told at least after so many tries: ten minutes at the usual pause. */
const TOLD_AT_LEAST = 1_200;

/** How something that needs the coordinator is tried again. */
export interface Insistence {
  /** hears why it did not come about: at once, and of an error that stays after 2, 4, 8 … tries */
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
  for (let last: ErrorCode | undefined, times = 0; ;) {
    try {
      return await action();
    } catch (error) {
      const named = namedError(error);
      if (!isPassing(named) || how.isFinal?.(named) === true) throw named;
      times = named.code === last ? times + 1 : 1;
      last = named.code;
      if (Number.isInteger(Math.log2(times)) || times % TOLD_AT_LEAST === 0) how.tell(named);
      await pause(how.pauseMs ?? AGAIN_MS);
    }
  }
}
