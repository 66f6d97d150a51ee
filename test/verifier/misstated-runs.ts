import { enc, sha256, signEd25519, u32, utf8 } from '@regulon/shared/crypto';
import {
  attachmentOf,
  digestBytes,
  encodeRoundEvidence,
  MediaType,
  parseEntry,
  parseRoundEvidence,
} from '@regulon/shared/transparency';
import { SampleFederation, samplePlanHash, sampleRun } from '@regulon/shared/transparency-samples';
import { type Case, changed, cosigned, flipped, forged, level2, other, rewritten, run } from './cases.js';

/** A sum beside which two sites confirmed another list of survivors: their signatures hold for that one. */
function twoLists(): Case {
  const honest = sampleRun();
  const sums = honest.entries.map(parseEntry).filter((entry) => entry.kind === 'round.aggregate');
  const { context, evidence } = sums[1]?.body ?? {};
  if (context === undefined || evidence === undefined) throw new Error('the sample run has no second sum');
  const parsed = parseRoundEvidence(honest.attachments.get(evidence.digest) ?? new Uint8Array());
  const consistency = parsed.consistency.map((message) => {
    if (message.id > 2) return message;
    const said = enc('regulon/secagg/v1/R3', digestBytes(context), digestBytes(other), u32(message.id));
    return {
      ...message,
      sig: signEd25519(SampleFederation.seed('site', `site-${message.id}`), sha256(said)),
    };
  });
  const bytes = encodeRoundEvidence({ ...parsed, consistency });
  return rewritten(
    (log) => {
      log.attachments.delete(evidence.digest);
      log.attach(bytes, MediaType.roundEvidence);
    },
    {
      spoil: (kind, body, seen) =>
        kind === 'round.aggregate' && seen === 1
          ? { ...body, evidence: attachmentOf(bytes, MediaType.roundEvidence) }
          : body,
    },
  )();
}

/** Entries that their signers made wrong. */
export const signedWrong: Record<string, () => Case> = {
  'real data in gate mode signed': run({ publicData: false }),
  'another chain value': changed('round.open', { chain: other }, 2),
  'another gate': changed('round.contribution', { gate: { size: 5, root: other } }, 1, cosigned),
  'other survivors': changed('round.aggregate', { u3: [1, 2, 3, 4] }, 1),
  'an opening of another context': changed('round.open', { context: other }, 2),
  'a wrong h2': changed('round.aggregate', { h2: other }, 1),
  'a wrong sum': changed('round.aggregate', { aggregateRoot: other }, 1),
  'a wrong transcript': changed('round.aggregate', { transcript: other }, 1),
  'a forged close': changed('round.aggregate', { closeSignature: forged }, 1),
  'sites that are said to have dropped': changed(
    'round.aggregate',
    { dropped: [{ site: 2, stage: 'r2', code: 'E_UPLOAD' }] },
    1,
  ),
  'wrong thresholds': changed(
    'round.aggregate',
    { thresholds: { N: 5, M: 5, n: 5, c: 0, quorum: 3, t: 3, uMin: 3, h: 3 } },
    1,
  ),
  'a lost site that is not said to have dropped': changed('round.aggregate', { dropped: [] }, 1, {
    sites: 6,
    lax: { members: 6, losses: { r0: [6] } },
  }),
  // the machines count fewer members than there are: they take what is too little, and sign all of it
  'survivors below uMin': run({ sites: 6, lax: { members: 5, losses: { r0: [6], upload: [5] } } }),
  'dealers below the quorum': run({ sites: 9, lax: { members: 7, losses: { r0: [9], r1: [7, 8] } } }),
  'sites that confirmed another list of survivors': twoLists,
  'a sum of no round': changed('round.aggregate', { context: other }, 1),
  'an unlisted contribution': changed('round.aggregate', { contributions: [] }, 1),
  'a masked input without contribution': run({
    omit: (kind, seen) => kind === 'round.contribution' && seen === 6,
  }),
  'a contribution for another input': changed(
    'round.contribution',
    { maskedInput: { length: 702, root: other } },
    6,
  ),
  'an answer that was not logged': run({ omit: (kind, seen) => kind === 'round.unmask' && seen === 5 }),
  'an answer for other survivors': changed('round.unmask', { survivors: [1, 2, 3, 4] }, 6),
  'both kinds of share': changed('round.unmask', { maskKey: [3] }, 6),
  'another answer than was given': changed('round.unmask', { answer: other }, 6),
  'an abort that does not recompute': changed('round.abort', { reason: 'E_FAULT' }),
  'a manifest for another step': changed('round.open', { stepId: 'moments' }, 1),
  'a manifest of another model': changed('round.open', { modelIn: other }, 1),
  'a forged manifest': changed('round.open', { manifestSignature: forged }, 1),
  'a cohort below the policy of a site': changed('policy.set', { minCohort: 6 }, 2),
  'a round answered twice': run({ reopened: true, omit: (kind) => kind === 'round.reopen' }),
  'a reopened round of fewer sites than its Reopen names': run({ reopened: true, lost: 5 }),
  'a Reopen of another model': changed('round.reopen', { modelHash: other }, 0, { reopened: true }),
  'a Reopen of an attempt that was not opened': changed('round.reopen', { burnt: 7 }, 0, { reopened: true }),
  'a median of rounds without groups': run({ combination: { combine: 'median' } }),
  'a trimmed mean of rounds without groups': run({ combination: { combine: 'trimmed-mean', trim: '2' } }),
  'a block that three sites own': run({ owners: [1, 2, 3] }),
  'a block summed over three of its four owners': run({ owners: [1, 2, 3, 4], lost: 2 }),
  'training that goes on against its rule': run({ validated: ['0.5', '0.25', '0.25', '0.1'] }),
  'a model beyond the validation gate': run({ validated: ['0.5', '0.25', '0.75'], maxWorsening: '0.4' }),
  'training that ends before its rule': run({ validated: ['0.5', '0.25'] }),
  'figures that the result does not cover': changed('round.aggregate', { figures: { loss: '0.3' } }, 4, {
    validated: ['0.5', '0.25', '0.75'],
  }),
  'a list that is none': rewritten((log) => void log.attach(utf8('[null]'), MediaType.json), {
    spoil: (kind, body) =>
      kind === 'round.aggregate' ? { ...body, dropped: attachmentOf(utf8('[null]'), MediaType.json) } : body,
  }),
};

/** Runs that nobody approved as they ran, models that do not follow, and sums that are not those of the masked vectors. */
export const approvedWrong: Record<string, () => Case> = {
  'a site without approval': run({
    spoil: (kind, body) =>
      kind === 'run.start' ? { ...body, approvals: (body['approvals'] as number[]).slice(1) } : body,
  }),
  'an approval of another plan': changed('plan.approve', { planHash: other }, 2),
  'an approval that had expired': changed('plan.approve', { validUntil: '2026-11-20T10:00:30.000Z' }, 2),
  'an approval under a policy that was not set': changed('plan.approve', { policy: other }, 1),
  'an approval of other data': changed('plan.approve', { commitment: other }, 1),
  'a policy that had expired': changed('policy.set', { validUntil: '2026-11-20T10:00:05.000Z' }, 1),
  'a start of a plan that was not proposed': changed('run.start', { proposal: 3 }),
  'a start of another plan': changed('run.start', { planHash: other }),
  'a start over fewer sites': changed('run.start', { sites: [1, 2, 3, 4] }),
  'a run without start': run({ omit: (kind) => kind === 'run.start' }),
  'a run that is called public': run({ publicData: false, claimPublic: true }),
  'a contribution under another policy': changed('round.contribution', { policy: other }, 4),
  'a run of other code': changed('round.contribution', { code: other }, 4),
  'a plan of another name': changed('plan.propose', { planHash: other }),
  'a plan that is not the attached one': rewritten((log) => void log.attach(utf8('{}'), MediaType.json), {
    spoil: (kind, body) =>
      kind === 'plan.propose' ? { ...body, plan: attachmentOf(utf8('{}'), MediaType.json) } : body,
  }),
  'a run over sites that the plan does not name': changed('plan.propose', { sites: [1, 2, 3, 4, 6] }),
  'a plan that a steward took back': run({
    before: (kind, seen) =>
      kind === 'round.open' && seen === 2
        ? { site: 'site-2', kind: 'plan.withdraw', body: { planHash: samplePlanHash(), reason: 'consent' } }
        : undefined,
  }),
  'a model that one site got otherwise': changed('round.contribution', { modelIn: other }, 6),
  'another feature specification at a site': changed(
    'round.contribution',
    { featureSpecification: other },
    6,
  ),
  'a site that derived another model': changed('round.ack', { modelOut: other }, 2),
  'a site that found a wrong tile': changed(
    'round.ack',
    { audited: { tiles: [0], count: 1, result: 'differ' } },
    2,
  ),
  'a final model from nowhere': changed('run.finish', { finalModel: other }),
  'rounds that did not close': changed('run.finish', { rounds: 9 }),
  'a model of an arm that the plan does not choose': changed(
    'run.finish',
    { models: [{ arm: 0, model: other, featureSpecification: null }] },
    0,
    { validated: ['0.5', '0.25', '0.75'] },
  ),
  'a round that states more sites': changed('round.aggregate', { coverage: { sites: 9, band: '<20' } }, 1),
  'a masked vector that was changed': level2((masked) =>
    masked.set('1-1/3', flipped(masked.get('1-1/3'), 700)),
  ),
  'a masked vector that is missing': level2((masked) => (masked.delete('2-0/1'), masked)),
  'a masked vector that was cut': level2((masked) => masked.set('2-0/1', new Uint8Array(4))),
  'a sum that is not that of the masked vectors': level2((masked) => masked, {
    spoil: (kind, body, seen) =>
      kind === 'round.aggregate' && seen === 1 ? { ...body, aggregateRoot: other } : body,
  }),
};
