import { RegulonError } from '@regulon/shared/errors';
import type { ReplyOf } from '@regulon/shared/wire';
import type { CallOptions, CoordinatorLink } from '../transport/index.js';

/** How clocks are compared. */
export interface ClockRule {
  /** of the federation: entries of the log may be so far ahead of the coordinator */
  readonly skewSeconds: number;
  /** ms since the epoch; default the clock of this machine */
  readonly now?: () => number;
}

/**
 * Say hello, and compare the clocks: deadlines, approvals and memberships are judged by the own one. The coordinator's
 * time lies between question and answer, so a slow line is no skew.
 *
 * @throws E_CLOCK when they differ by more than the federation allows; what `connect` throws
 */
export async function helloOnTime(
  link: Pick<CoordinatorLink, 'connect'>,
  { skewSeconds, now = Date.now }: ClockRule,
  options: CallOptions = {},
): Promise<ReplyOf<'hello'>> {
  const asked = now();
  const reply = await link.connect(options);
  const ahead = Math.max(0, asked - reply.nowMs);
  const behind = Math.max(0, reply.nowMs - now());
  const seconds = Math.round(Math.max(ahead, behind) / 1000);
  if (seconds <= skewSeconds) return reply;
  const which = ahead > 0 ? 'ahead of' : 'behind';
  throw new RegulonError(
    'E_CLOCK',
    `the clock of this machine is ${seconds} s ${which} the coordinator's, more than ${skewSeconds} s`,
  );
}
