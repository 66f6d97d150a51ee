import { pause } from '../../transport/index.js';
import type { SiteContext } from '../context.js';

/** longest delay that a timer of Node.js takes */
const MOST_TIMER_MS = 0x7fff_ffff;

/**
 * The pause that the policy of this site demands since it last answered another round, ms.
 *
 * @param last when that round began; later than `now` when the clock was set back
 */
export function restLeft(last: number, minIntervalSeconds: number, now: number): number {
  const interval = 1000 * minIntervalSeconds;
  return Math.min(interval, Math.max(0, last + interval - now));
}

/**
 * Wait until this site may take part in a round. The coordinator offers the round again meanwhile, or goes on without
 * this site: before R1 nobody is bound.
 *
 * @throws the signal's reason
 */
export async function rested(
  { site, attempts }: Pick<SiteContext, 'attempts'> & { readonly site: Pick<SiteContext['site'], 'policy'> },
  { run, round }: { readonly run: string; readonly round: number },
  signal: AbortSignal,
): Promise<void> {
  const left = restLeft(attempts.lastAnswered(run, round), site.policy.minInterval, Date.now());
  if (left > 0) await pause(Math.min(left, MOST_TIMER_MS), signal);
}
