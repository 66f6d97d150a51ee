import { describe, expect, it } from '@jest/globals';
import { exceptedRun, type SampleOptions, sampleRun, spoilFirst } from '../../transparency-samples/index.js';
import { digestText } from '../entries/fields.js';
import { verifyBundle } from './verify-bundle.js';

const [GRU, HMB, NCU] = ['DUO:0000042', 'DUO:0000006', 'DUO:0000046'] as const;
const site = 'site-1';

function reportOf(options: SampleOptions) {
  const log = sampleRun(options);
  return verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf: new Date(Date.UTC(2026, 10, 21)) });
}
const found = (options: SampleOptions): Record<string, string> => {
  const failed = reportOf(options).rules.filter(({ status }) => status === 'fail');
  return Object.fromEntries(failed.map(({ id, evidence, note }) => [id, `${evidence.join(' ')}: ${note}`]));
};

describe('row A1 of data use', () => {
  it.each<[string, SampleOptions]>([
    ['general research on data for it', {}],
    ['biomedical research', { declares: [HMB] }],
    [
      'more than was asked',
      { declares: [GRU, NCU], spoil: spoilFirst({ 'dataset.commit': { dataUse: [GRU, NCU] } }) },
    ],
    ['open data without terms', { spoil: spoilFirst({ 'dataset.commit': { dataUse: [] } }) }],
    [
      'an approval that ends with the terms',
      { spoil: spoilFirst({ 'dataset.commit': { dataUse: [GRU, 'DUO:0000025=2026-12-31'] } }) },
    ],
  ])('passes %s', (_, options) => {
    expect(found(options)).toEqual({});
  });

  it.each<[string, SampleOptions, RegExp]>([
    [
      'a condition of the dataset that the plan does not take on',
      { spoil: spoilFirst({ 'dataset.commit': { dataUse: [GRU, NCU] } }) },
      /^17: the declared use is outside the terms of the dataset of site-1: DUO:0000046 \(non-commercial/,
    ],
    [
      'research that the dataset does not permit',
      { spoil: spoilFirst({ 'dataset.commit': { dataUse: [HMB] } }) },
      /DUO:0000042 \(general research\) of the plan is outside DUO:0000006/,
    ],
    [
      'data of patients without terms',
      { publicData: false, gateMode: 'cosigned', spoil: spoilFirst({ 'dataset.commit': { dataUse: [] } }) },
      /no code that permits any research/,
    ],
    ['a plan that declares nothing', { declares: [] }, /declares no kind of research/],
    ['a plan whose declaration is no list', { declares: 'all' }, /no code that can be matched/],
    [
      'a code that no rule covers',
      { spoil: spoilFirst({ 'dataset.commit': { dataUse: [GRU, 'DUO:0000001'] } }) },
      /DUO:0000001 is no code/,
    ],
    [
      'a condition of the policy',
      { spoil: spoilFirst({ 'policy.set': { dataUse: [NCU] } }) },
      /outside the policy of site-1: DUO:0000046/,
    ],
    [
      'an approval beyond the time limit',
      { spoil: spoilFirst({ 'dataset.commit': { dataUse: [GRU, 'DUO:0000025=2026-12-30'] } }) },
      /^12: site-1 approved for longer/,
    ],
    [
      'a proposal that hides the purpose of its plan',
      {
        spoil: spoilFirst({
          'plan.propose': { purpose: 'quality' },
          'policy.set': { purposes: ['quality'] },
        }),
      },
      /^11 17: the proposal states another purpose than its plan/,
    ],
  ])('fails for %s', (_, options, note) => {
    const { A1, ...others } = found(options);
    expect(A1).toMatch(note);
    expect(others).toEqual({});
  });
});

describe('row A4 of exceptions', () => {
  it('passes an exception by two persons of the site, from purposes or from the policy’s own terms', () => {
    expect(found(exceptedRun({}))).toEqual({});
    const terms = exceptedRun({ rule: 'dataUse' }, [1], {
      spoil: spoilFirst({ 'policy.set': { dataUse: [NCU] } }),
    });
    expect(found(terms)).toEqual({});
    const { status, note } = reportOf(terms).rules.find(({ id }) => id === 'A4')!;
    expect([status, note]).toEqual(['pass', '0 policies ask for two persons, 1 exceptions']);
  });

  it.each<[string, SampleOptions, RegExp | undefined, boolean]>([
    ['no exception', exceptedRun(undefined), undefined, true],
    ['one signer', exceptedRun({}, []), /^12 18: .*without the signature of a second person/, true],
    ['the administrator of another site', exceptedRun({}, [2]), /^12 18: .*second person/, true],
    ['no reason', exceptedRun({ justification: ' ' }), /^12 18: .*justification/, true],
    [
      'another plan',
      exceptedRun({ planHash: digestText(new Uint8Array(32)) }),
      /^12 18: .*not proposed/,
      true,
    ],
    [
      'another policy',
      exceptedRun({ policy: digestText(new Uint8Array(32)) }),
      /^12 18: .*not in force/,
      true,
    ],
    [
      'an end before it was signed',
      exceptedRun({ expires: '2026-11-20T10:00:01.000Z' }),
      /^12 18: .*expired/,
      true,
    ],
    [
      'an end before the run',
      exceptedRun({ expires: '2026-11-20T10:00:15.000Z' }),
      /^18: the exception of entry 12 does not help: it expired/,
      true,
    ],
    [
      'an end before the last contributions',
      exceptedRun({ expires: '2026-11-20T10:00:25.000Z' }),
      /the exception of site-1 had expired/,
      false,
    ],
    ['another rule', exceptedRun({ rule: 'dataUse' }), undefined, true],
  ])('fails for %s', (_, options, note, isOutside) => {
    const { A1, A4, ...others } = found(options);
    expect(others).toEqual({});
    if (note) expect(A4).toMatch(note);
    else expect(A4).toBeUndefined();
    if (isOutside) expect(A1).toMatch(/the purpose of the plan is outside the policy of site-1/);
    else expect(A1).toBeUndefined();
  });

  it('excepts nobody from the terms of a dataset', () => {
    const options = exceptedRun({ rule: 'dataUse' }, [1], {
      spoil: spoilFirst({ 'dataset.commit': { dataUse: [GRU, NCU] } }),
    });
    expect(found(options)['A1']).toMatch(/terms of the dataset of site-1/);
  });
});

describe('row A4 of approvals', () => {
  const asks: SampleOptions = { spoil: spoilFirst({ 'policy.set': { reviewersNeeded: 2 } }) };

  it('passes two persons where the policy asks for them', () => {
    expect(found({ ...asks, seconded: [1] })).toEqual({});
  });

  it('fails for the steward alone', () => {
    expect(found(asks)).toEqual({
      A4: expect.stringMatching(/^12: an approval of site-1 .*fewer than the 2/),
    });
  });

  it('fails when the steward alone takes the rule back', () => {
    const log = sampleRun({ ...asks, seconded: [1] });
    const { body } = log.federation.policyBody(site);
    log.write(['steward', site], 'policy.set', {}, { ...body, reviewersNeeded: 1 });
    const asOf = new Date(Date.UTC(2026, 10, 21));
    expect(verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf }).firstLine).toMatch(
      /^FAIL {2}entry \d+ \(policy\.set by steward site-1\), A4: a change of the policy/,
    );
  });
});
