import { RegulonError } from '@regulon/shared/errors';
import { pause } from '../../transport/index.js';
import type { SiteContext } from '../context.js';

/** longest delay that a timer of Node.js takes */
const MOST_TIMER_MS = 0x7fff_ffff;

/**
 * The pause that the policy of this site demands since it last contributed to another round, ms.
 *
 * @param last when that round began; later than `now` when the clock was set back
 */
export function restLeft(last: number, minIntervalSeconds: number, now: number): number {
  const interval = 1000 * minIntervalSeconds;
  return Math.min(interval, Math.max(0, last + interval - now));
}

type Place = { readonly run: string; readonly round: number };
type Rester = Pick<SiteContext, 'attempts'> & { readonly site: Pick<SiteContext['site'], 'policy'> };

const leftOf = ({ site, attempts }: Rester, { run, round }: Place): number =>
  restLeft(attempts.lastContributed(run, round), site.policy.minInterval, Date.now());

/**
 * Wait until this site may take part in a round. The coordinator offers the round again meanwhile, or goes on without
 * this site: before R1 nobody is bound.
 *
 * @throws the signal's reason
 */
export async function rested(site: Rester, place: Place, signal: AbortSignal): Promise<void> {
  const left = leftOf(site, place);
  if (left > 0) await pause(Math.min(left, MOST_TIMER_MS), signal);
}

/**
 * The same pause once more, before masked input leaves: an attempt that was joined, and then left for a round of another
 * run, would release two sums within it.
 *
 * @throws E_GATE when the pause is not over
 */
export function verifyRested(site: Rester, place: Place): void {
  const left = leftOf(site, place);
  if (left === 0) return;
  throw new RegulonError(
    'E_GATE',
    `round ${place.round}: another round was contributed to since it was joined, and minInterval lasts ` +
      `${Math.ceil(left / 1000)} s more: this site sits the attempt out`,
  );
}
