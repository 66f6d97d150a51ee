import type { SampleOptions } from '@regulon/shared/transparency-samples';
import { type Case, changed, run } from './cases.js';

/** What a private run says of itself and of its ledgers. */
const privacy = { cap: '3' };
const charged = (nth: number, fields: object, more: SampleOptions = {}): (() => Case) =>
  run({
    privacy,
    ...more,
    spoil: (kind, body, seen) =>
      kind === 'round.contribution' && seen === nth
        ? { ...body, charge: { ...(body['charge'] as object), ...fields } }
        : body,
  });
const stated = (fields: object): (() => Case) =>
  run({
    privacy,
    spoil: (kind, body) =>
      kind === 'plan.propose' ? { ...body, privacy: { ...(body['privacy'] as object), ...fields } } : body,
  });
/** Private runs that a verifier must find wrong. */
export const claimed: Record<string, () => Case> = {
  'a proposal with less noise than its plan': stated({ sigma: '4' }),
  'a proposal with another rate than its plan': stated({ samplingRate: '0.25' }),
  'a proposal with fewer steps than its plan': stated({ steps: 4 }),
  'a proposal with a δ that protects nobody': stated({ delta: '0.01' }),
  'a plan whose claim is not stated': changed('plan.propose', { privacy: null }, 0, { privacy }),
  'a private release that was not charged': changed('round.contribution', { charge: null }, 3, { privacy }),
  'a private release without a sampler': changed('round.contribution', { sampler: null }, 3, { privacy }),
  'a charge with too small a total': charged(1, { after: '0.3' }),
  'a charge that begins below what was spent': charged(6, { before: '0.3' }),
  'a charge of samples with too small a total': charged(
    1,
    { after: '0.01' },
    { privacy: { cap: '3', samplingRate: '0.25' } },
  ),
  'a number of a charge used twice': charged(7, { ledgerSeq: 0 }),
  'a charge above the cap': run({ privacy: { cap: '0.7' } }),
};
