import { digestText, type BodyOf } from '../transparency/index.js';
import { sha256 } from '../crypto/index.js';
import { type SampleOptions, samplePlanHash, samplePolicyBytes } from './sample-options.js';

type Override = BodyOf<'policy.override'>;
type Spoil = NonNullable<SampleOptions['spoil']>;

/** Changes the first entry of some kinds, which is that of site-1. */
export const spoilFirst =
  (changes: Readonly<Record<string, object>>): Spoil =>
  (kind, body, seen) =>
    seen === 0 ? { ...body, ...changes[kind] } : body;

/**
 * A run whose plan the persons of site-1 except from the purposes of its policy, which they are outside of.
 *
 * @param change what the exception says otherwise; undefined: there is none
 * @param seconds sites whose administrators sign it beside the steward
 * @param more options of the run; its own `spoil` replaces that of the policy
 */
export function exceptedRun(
  change: Partial<Override> | undefined,
  seconds: readonly number[] = [1],
  more: SampleOptions = {},
): SampleOptions {
  const site = 'site-1';
  const options = { spoil: spoilFirst({ 'policy.set': { purposes: ['quality'] } }), ...more };
  const body: Override = {
    ...{
      policy: digestText(sha256(samplePolicyBytes(site))),
      rule: 'purposes',
      planHash: samplePlanHash(options),
    },
    ...{ justification: 'agreed by the board', expires: '2026-12-01T00:00:00.000Z', ...change },
  };
  return {
    ...options,
    before: (kind, seen) =>
      change && kind === 'plan.approve' && seen === 0
        ? { site, kind: 'policy.override', body, seconds }
        : undefined,
  };
}
