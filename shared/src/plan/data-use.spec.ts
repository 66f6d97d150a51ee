import { describe, expect, it } from '@jest/globals';
import {
  datasetUseFault,
  datasetUseHint,
  dataUseFault,
  dataUseSchema,
  endOfUse,
  isDataUseTerm,
  shownTerm,
} from './index.js';

const [NRES, HMB, DS, POA, RS, NMDS] = [4, 6, 7, 11, 12, 15].map((n) => code(n));
const [NPUNCU, PUB, GS, MOR, TS, US] = [18, 19, 22, 24, 25, 26].map((n) => code(n));
const [GRU, CC, NPOA, NPU, NCU] = [42, 43, 44, 45, 46].map((n) => code(n));
function code(n: number): string {
  return `DUO:${String(n).padStart(7, '0')}`;
}
const breast = `${DS}=MONDO:0007254`;
const lung = `${DS}=MONDO:0005233`;
const use = (dataUse: readonly (string | undefined)[] | undefined, purpose = 'research') => ({
  purpose,
  dataUse: dataUse?.map(String),
});

describe('terms of use and what a plan declares', () => {
  it.each<[why: string, terms: unknown[], declared: unknown[], met: boolean, purpose?: string]>([
    ['no terms', [], [], true],
    ['no restriction, nothing declared', [NRES], [], true],
    ['no restriction, clinical care', [NRES], [CC], true],
    ['general research, nothing declared', [GRU], [], false],
    ['general research', [GRU], [GRU], true],
    ['general research holds biomedical research', [GRU], [HMB], true],
    ['general research holds a disease', [GRU], [breast], true],
    ['general research holds ancestry', [GRU], [POA], true],
    ['general research holds no clinical care', [GRU], [CC], false],
    ['biomedical research holds a disease', [HMB], [breast], true],
    ['biomedical research holds no ancestry', [HMB], [POA], false],
    ['biomedical research holds no general research', [HMB], [GRU], false],
    ['a disease', [breast], [breast], true],
    ['another disease', [breast], [lung], false],
    ['one of two diseases', [breast, lung], [lung], true],
    ['a disease more than permitted', [breast], [breast, lung], false],
    ['biomedical research on data for a disease', [breast], [HMB], false],
    ['ancestry only', [POA], [HMB], false],
    ['care beside research', [GRU, CC], [CC, HMB], true],
    ['methods, excluded', [GRU, NMDS], [GRU], false, 'method-development'],
    ['methods excluded, research', [GRU, NMDS], [GRU], true],
    ['ancestry, excluded', [GRU, NPOA], [POA], false],
    ['ancestry excluded, biomedical', [GRU, NPOA], [HMB], true],
    ['non-commercial, not declared', [GRU, NCU], [GRU], false],
    ['non-commercial', [GRU, NCU], [GRU, NCU], true],
    ['non-commercial by the stronger code', [GRU, NCU], [GRU, NPUNCU], true],
    ['non-commercial is not not-for-profit', [GRU, NPU], [GRU, NCU], false],
    ['both, one declared', [GRU, NPUNCU], [GRU, NPU], false],
    ['both, one by one', [GRU, NPUNCU], [GRU, NPU, NCU], true],
    ['publication, not undertaken', [GRU, PUB], [GRU], false],
    ['publication', [GRU, PUB], [GRU, PUB], true],
    ['places, none named', [GRU, `${GS}=DE`], [GRU], false],
    ['one of the places', [GRU, `${GS}=DE`, `${GS}=FR`], [GRU, `${GS}=FR`], true],
    ['a place more', [GRU, `${GS}=DE`], [GRU, `${GS}=DE`, `${GS}=US`], false],
    ['other users', [GRU, `${US}=r1`], [GRU, `${US}=r2`], false],
    ['a type of research', [GRU, `${RS}=DUO:0000039`], [GRU, `${RS}=DUO:0000039`], true],
    ['a moratorium that is kept', [GRU, `${MOR}=2027-05-01`], [GRU, `${MOR}=2027-05-02`], true],
    ['a moratorium that is not kept', [GRU, `${MOR}=2027-05-01`], [GRU, `${MOR}=2027-04-30`], false],
    ['a time limit, which bounds the approval instead', [GRU, `${TS}=2027-05-01`], [GRU], true],
    ['a policy of modifiers alone', [NCU], [NCU], true],
    ['a code that is not known', [GRU, 'DUO:0000001'], [GRU], false],
    ['a declared code that is not known', [GRU], [GRU, 'DUO:9999999'], false],
    ['a declared word', [GRU], [GRU, ''], false],
    ['an inherited name', ['constructor'], [GRU], false],
  ])('%s', (_, terms, declared, met, purpose = 'research') => {
    const fault = dataUseFault(terms.map(String), use(declared as string[], purpose));
    expect(fault === undefined).toBe(met);
  });

  it('names the term and what it means', () => {
    expect(dataUseFault([GRU!, NCU!], use([GRU]))).toBe(
      'DUO:0000046 (non-commercial use only) is not met by the plan',
    );
    expect(dataUseFault([HMB!], use([POA]))).toBe(
      'DUO:0000011 (population origins or ancestry only) of the plan is outside DUO:0000006',
    );
    expect(shownTerm(breast)).toBe('DUO:0000007=MONDO:0007254 research on the named disease');
  });
});

describe('terms of a dataset', () => {
  const closed = { public: false, simulated: false };

  it('are needed for data of patients, and permit some research', () => {
    expect(datasetUseFault({ ...closed, dataUse: [] }, use([GRU]))).toMatch(/no code that permits/);
    expect(datasetUseFault({ ...closed, dataUse: [NCU!] }, use([GRU, NCU]))).toMatch(/no code that permits/);
    expect(datasetUseFault({ ...closed, dataUse: [GRU!] }, use([GRU]))).toBeUndefined();
  });

  it('say by whom what is added where', () => {
    expect(datasetUseHint({ dataUse: [NCU!] })).toMatch(/^add .* under `dataset` of the daemon/);
    expect(datasetUseHint({ dataUse: [GRU!] })).toMatch(/the researcher declares its use in the plan/);
  });

  it('restrict open data only where they are stated', () => {
    expect(datasetUseFault({ ...closed, simulated: true, dataUse: [] }, use(undefined))).toBeUndefined();
    expect(datasetUseFault({ ...closed, public: true, dataUse: [HMB!] }, use([GRU]))).toMatch(/outside/);
  });

  it('end with the last day of the earliest limit', () => {
    expect(endOfUse([GRU!])).toBeUndefined();
    expect(endOfUse([GRU!, `${TS}=2027-12-31`, `${TS}=2028-02-29`])).toBe('2028-01-01T00:00:00.000Z');
  });
});

describe('the form of a term', () => {
  it.each([
    [GRU, true],
    [breast, true],
    [`${TS}=2028-02-29`, true],
    [`${GRU}=`, false],
    [`${GRU}=x`, false],
    [DS, false],
    [`${DS}=breast cancer`, false],
    [`${DS}=MONDO:1=2`, false],
    [`${TS}=2027-02-29`, false],
    [`${TS}=6 months`, false],
    [`${GS}=`, false],
    ['DUO:0000007=', false],
    ['GRU', false],
  ])('%s: %s', (text, isTerm) => {
    expect(isDataUseTerm(String(text))).toBe(isTerm);
  });

  it('stands once in a list of at most 32', () => {
    expect(dataUseSchema.safeParse([GRU, NCU]).success).toBe(true);
    expect(dataUseSchema.safeParse([GRU, GRU]).success).toBe(false);
    const many = Array.from({ length: 33 }, (_, i) => `${GS}=p${i}`);
    expect(dataUseSchema.safeParse(many).success).toBe(false);
  });
});
