import { canonicalJsonBytes } from '@regulon/shared/crypto';
import { attachmentOf, MediaType } from '@regulon/shared/transparency';
import { sample, samplePlan, samplePolicyBytes } from '@regulon/shared/transparency-samples';
import { type Case, changed, other, rewritten, run } from './cases.js';

/** A run whose proposal attaches another plan, which claims to protect patients. */
const planned = (bytes: Uint8Array): (() => Case) =>
  rewritten((log) => void log.attach(bytes, MediaType.json), {
    privacy: { cap: '3' },
    spoil: (kind, body) =>
      kind === 'plan.propose' ? { ...body, plan: attachmentOf(bytes, MediaType.json) } : body,
  });

const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)]);

/** Proposals that say who built what runs. */
export const provenancesRight: Record<string, () => Case> = {
  'a provenance of the code': run({ builtCode: sample.code }),
};

/** Proposals about other software, and attachments of another form or size. */
export const provenancesWrong: Record<string, () => Case> = {
  'a provenance of other code': run({ builtCode: other }),
  'a plan whose numbers are numbers': planned(
    canonicalJsonBytes({ training: { rounds: 2 }, privacy: { unit: 'patient', delta: 1e-6 } }),
  ),
  'a plan of 200 levels': planned(canonicalJsonBytes({ more: nested(199) })),
  'a plan of 201 levels': planned(new TextEncoder().encode(`{"more":${'['.repeat(201)}${']'.repeat(201)}}`)),
  'a plan of another size': changed('plan.propose', {
    plan: { ...attachmentOf(samplePlan(), MediaType.json), size: 5 },
  }),
  'a policy of another size than in an entry before': changed(
    'policy.set',
    { policy: { ...attachmentOf(samplePolicyBytes('site-1'), MediaType.json), size: 5 } },
    2,
  ),
};
