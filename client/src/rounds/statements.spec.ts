import { describe, expect, it } from '@jest/globals';
import { enc, hkdf, sha256 } from '@regulon/shared/crypto';
import { sitePolicySchema } from '@regulon/shared/plan';
import { digestBytes, digestText } from '@regulon/shared/transparency';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { saltOf, statementsOf } from './statements.js';

type Dataset = Parameters<typeof statementsOf>[1];
const description = {
  ...{ units: 30, content: new Uint8Array(32), qualityReport: null },
  panel: { digest: new Uint8Array(32), size: 2, names: ['A', 'B'] },
} as unknown as Parameters<typeof statementsOf>[2];
const dataset = {
  ...{
    name: 'tumours',
    kind: 'expression',
    scale: 'counts',
    unit: 'patient',
    public: false,
    simulated: true,
  },
} as unknown as Dataset;

/** What the log would say of a policy file with these keys. */
function stated(keys: object) {
  const policy = sitePolicySchema.parse({ schema: 'regulon.site-policy/1', purposes: ['research'], ...keys });
  return statementsOf(policy, dataset, description, temporaryFolder('statements')).policy;
}

describe('what a steward states of a policy', () => {
  it('has its legal basis, papers, software, class and last day', () => {
    const references = [{ kind: 'dpia', reference: 'DPIA 2026/17' }];
    const code = [`sha256:${'ab'.repeat(32)}`];
    expect(
      stated({
        legalBasis: 'gdpr-9-2-j',
        references,
        code,
        retentionClass: 'hipaa6y',
        validUntil: '2027-12-31',
      }),
    ).toMatchObject({
      ...{ legalBasis: 'gdpr-9-2-j', references, allowedCode: code, retentionClass: 'hipaa6y' },
      validUntil: '2028-01-01T00:00:00.000Z',
    });
  });

  it('says of what the file does not that there is none', () => {
    expect(stated({})).toMatchObject({
      ...{ legalBasis: 'none', references: [], allowedCode: [], retentionClass: 'none', validUntil: null },
    });
  });
});

describe('what a steward states of a dataset', () => {
  const policy = sitePolicySchema.parse({ schema: 'regulon.site-policy/1', purposes: ['research'] });
  const stated = (report: Uint8Array | null, salt: string): string | null =>
    statementsOf(policy, dataset, { ...description, qualityReport: report }, salt).dataset.qualityReport;

  it('has a digest of its quality report that only the site can guess from', () => {
    const [one, other] = [temporaryFolder('statements'), temporaryFolder('statements')];
    const report = new Uint8Array(32).fill(7);
    const { commitment } = statementsOf(policy, dataset, description, one).dataset;
    const info = enc('regulon/quality-report/v1', digestBytes(commitment));
    expect(stated(report, one)).toBe(
      digestText(sha256(hkdf(saltOf(one), new Uint8Array(32), info, 32), report)),
    );
    expect(stated(report, one)).not.toBe(stated(report, other));
    expect(stated(report, one)).not.toBe(stated(new Uint8Array(32), one));
    expect(stated(null, one)).toBeNull();
  });
});
