import { utf8 } from '@regulon/shared/crypto';
import { digestText } from '@regulon/shared/transparency';
import { exceptedRun, sample, type SampleOptions, spoilFirst } from '@regulon/shared/transparency-samples';
import { type Case, rewritten, run } from './cases.js';

const [GRU, HMB, NCU] = ['DUO:0000042', 'DUO:0000006', 'DUO:0000046'] as const;
const nothing = digestText(new Uint8Array(32));
const dataset = (dataUse: unknown, more: SampleOptions = {}) =>
  run({ ...more, spoil: spoilFirst({ 'dataset.commit': { dataUse } }) });
const policy = (fields: object, more: SampleOptions = {}) =>
  run({ ...more, spoil: spoilFirst({ 'policy.set': fields }) });
const closed = { publicData: false, gateMode: 'cosigned' } as const;

/** Logs whose runs are within terms and policies, or excepted by two persons. */
export const policiesRight: Record<string, () => Case> = {
  'a plan for biomedical research': run({ declares: [HMB] }),
  'a plan that takes a condition on': dataset([GRU, NCU], { declares: [HMB, NCU] }),
  'a plan that takes every kind of condition on': dataset(
    [
      GRU,
      'DUO:0000012=DUO:0000039',
      'DUO:0000015',
      'DUO:0000016',
      'DUO:0000018',
      'DUO:0000019',
      'DUO:0000022=DE',
    ].concat([
      'DUO:0000024=2027-01-01',
      'DUO:0000025=2026-12-31',
      'DUO:0000026=r1',
      'DUO:0000044',
      'DUO:0000045',
    ]),
    {
      declares: ['DUO:0000007=MONDO:0007254', 'DUO:0000012=DUO:0000039', 'DUO:0000016', 'DUO:0000019'].concat(
        ['DUO:0000022=DE', 'DUO:0000024=2027-01-01', 'DUO:0000026=r1', 'DUO:0000045', 'DUO:0000046'],
      ),
    },
  ),
  'data of patients with terms': run(closed),
  'open data without terms': dataset([]),
  'an exception by two persons': run(exceptedRun({})),
  'an exception from the terms of a policy': run(
    exceptedRun({ rule: 'dataUse' }, [1], { spoil: spoilFirst({ 'policy.set': { dataUse: [NCU] } }) }),
  ),
  'a policy with its papers, that ends with the approvals': policy({
    ...{ legalBasis: 'gdpr-9-2-j', validUntil: '2027-01-01T00:00:00.000Z' },
    references: [{ kind: 'ethics', reference: 'vote 12/2026' }],
  }),
  'a policy that names the software': policy({ allowedCode: [nothing, sample.code] }),
  'policies that take the place of one another': rewritten((log) => {
    const { body } = log.federation.policyBody('site-1');
    const bytes = log.attach(utf8('{"nMin":6}'), 'application/json');
    const first = body.policy.digest;
    log.write(['steward', 'site-1'], 'policy.set', {}, { ...body, policy: bytes, supersedes: first });
    log.write(['steward', 'site-1'], 'policy.set', {}, { ...body, supersedes: bytes.digest });
  }),
  'an approval by two persons': policy({ reviewersNeeded: 2 }, { seconded: [1] }),
};

/** Logs whose runs are outside terms or policies, or excepted by nobody who may. */
export const policiesWrong: Record<string, () => Case> = {
  'a condition that the plan does not take on': dataset([GRU, NCU]),
  'research that a dataset does not permit': dataset([HMB]),
  'another disease': dataset(['DUO:0000007=MONDO:0005233'], { declares: ['DUO:0000007=MONDO:0007254'] }),
  'data of patients without terms': dataset([], closed),
  'data of patients with conditions alone': dataset([NCU], { ...closed, declares: [GRU, NCU] }),
  'a code that is not known': dataset([GRU, 'DUO:0000001']),
  'a day that does not exist': dataset([GRU, 'DUO:0000025=2026-02-30']),
  'a plan that declares nothing': run({ declares: [] }),
  'a plan whose declaration is no list': run({ declares: 'all' }),
  'a plan whose declaration is a number': run({ declares: ['DUO:0000042', '1'] }),
  'a policy that ends before an approval under it': policy({ validUntil: '2026-12-31T00:00:00.000Z' }),
  'software that a policy does not name': policy({ allowedCode: [nothing] }),
  'a policy that follows none': policy({ supersedes: nothing }),
  'a policy that names another than the one before it': rewritten((log) => {
    const { body } = log.federation.policyBody('site-1');
    log.write(['steward', 'site-1'], 'policy.set', {}, { ...body, supersedes: nothing });
  }),
  'a condition of a policy': policy({ dataUse: [NCU] }),
  'an approval beyond the time limit': dataset([GRU, 'DUO:0000025=2026-12-30']),
  'a proposal that hides the purpose of its plan': run({
    spoil: spoilFirst({ 'plan.propose': { purpose: 'quality' }, 'policy.set': { purposes: ['quality'] } }),
  }),
  'a purpose outside a policy': run(exceptedRun(undefined)),
  'an exception by the steward alone': run(exceptedRun({}, [])),
  'an exception with the administrator of another site': run(exceptedRun({}, [2])),
  'an exception without a reason': run(exceptedRun({ justification: ' \n' })),
  'an exception for another plan': run(exceptedRun({ planHash: nothing })),
  'an exception from another policy': run(exceptedRun({ policy: nothing })),
  'an exception from another rule': run(exceptedRun({ rule: 'maxRounds' })),
  'an exception that had expired when it was signed': run(
    exceptedRun({ expires: '2026-11-20T10:00:01.000Z' }),
  ),
  'an exception that expired before the run': run(exceptedRun({ expires: '2026-11-20T10:00:15.000Z' })),
  'an exception that expired in the middle of the run': run(
    exceptedRun({ expires: '2026-11-20T10:00:25.000Z' }),
  ),
  'an exception from the terms of a dataset': run(
    exceptedRun({ rule: 'dataUse' }, [1], {
      spoil: spoilFirst({ 'dataset.commit': { dataUse: [GRU, NCU] } }),
    }),
  ),
  'an approval by the steward alone': policy({ reviewersNeeded: 2 }),
  'an approval with the administrator of another site': rewritten(
    (log) => {
      const { body } = log.federation.policyBody('site-2');
      log.write(['steward', 'site-2'], 'policy.set', {}, body, [log.federation.administrator(1)]);
    },
    {
      spoil: (kind, body, seen) =>
        kind === 'policy.set' && seen === 1 ? { ...body, reviewersNeeded: 2 } : body,
    },
  ),
  'a two-person rule that one person takes back': rewritten(
    (log) => {
      const { body } = log.federation.policyBody('site-1');
      log.write(['steward', 'site-1'], 'policy.set', {}, body);
    },
    { spoil: spoilFirst({ 'policy.set': { reviewersNeeded: 2 } }), seconded: [1] },
  ),
};
