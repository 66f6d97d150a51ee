import { describe, expect, it } from '@jest/globals';
import { parseEntry } from './parse.js';
import { nextPosition, sealEntry } from './seal.js';
import { identifierIn, refuseIdentifiers, refuseIdentifying } from './identifiers.js';

const approval = (text: string) => ({ kind: 'plan.approve', body: { conditions: [text] } }) as const;
const foundIn = (text: string): string | undefined => identifierIn(approval(text))?.found;

describe('texts of entries', () => {
  it.each([
    ['an e-mail address', 'write to jane.doe@hospital.example'],
    ['a sample barcode', 'as in TCGA-A1-A0SB'],
    ['a date', 'born 03.04.1951'],
    ['a date', 'born 3/4/1951'],
    ['a date', 'x1951-04-03'],
    ['a date', '1951-04-03T00:00:00.000Z'],
    ['a long number', '1234567'],
    ['a long number', 'case-12345678'],
    ['a long number', 'NCT012345678901234'],
    ['a telephone number', 'call +49 30 12-34-56'],
    ['a random-looking word', 'seed ABCDEFGHIJKLMNOPQRSTUVWXYZabcde1'],
  ])('hold %s: %s', (found, text) => {
    expect(foundIn(text)).toBe(found);
  });

  it.each([
    'for 412 tumours, until 2027',
    `sha256:${'0123456789abcdef'.repeat(4)}`,
    'EGAD123456 and GSE62944',
    'NCT01234567, DRKS00012345, ISRCTN12345678, IRB 00012345, actrn12619000123456',
    'seed ABCDEFGHIJKLMNOPQRSTUVWXYZabcd1',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef',
    '希少疾患の研究のために必要であるため二名の責任者がこの計画を二〇二七年まで承認します1',
    'tcga-ov-tumours',
  ])('name nobody: %s', (text) => {
    expect(foundIn(text)).toBeUndefined();
  });

  it('are decimals only where a decimal stands', () => {
    const charge = (body: object) => identifierIn({ kind: 'round.contribution', body });
    expect(charge({ charge: { after: '0.1234567' } })).toBeUndefined();
    expect(charge({ dataset: '1234567' })).toEqual({ member: 'dataset', found: 'a long number' });
  });

  it('are not the proof against a dealer', () => {
    const proof = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0';
    expect(identifierIn({ kind: 'round.reopen', body: { proof } })).toBeUndefined();
    expect(identifierIn({ kind: 'run.finish', body: { proof } })).toBeDefined();
  });

  it('are refused where they are written, not where an entry repeats them', () => {
    const dataset = 'egad00001001234';
    expect(() => refuseIdentifiers({ kind: 'dataset.commit', body: { dataset } })).toThrow(/dataset holds/);
    for (const kind of ['dataset.withdraw', 'plan.approve', 'round.contribution'] as const) {
      expect(identifierIn({ kind, body: { dataset } })).toBeDefined();
      expect(() => refuseIdentifiers({ kind, body: { dataset } })).not.toThrow();
    }
    const revoke = { kind: 'member.revoke', body: { member: 'ik-260100023' } } as const;
    expect(() => refuseIdentifiers(revoke)).not.toThrow();
    expect(() => refuseIdentifying('the invitation', { site: 'ik-260100023' })).toThrow(
      /^the invitation: site holds a long number; /,
    );
    expect(() => refuseIdentifying('the plan', { title: 'Subtypes', reference: undefined })).not.toThrow();
  });

  it('are refused before an entry is signed', () => {
    const signer = { keyName: 'x', seed: new Uint8Array(32) };
    const seal = (reason: string): Uint8Array =>
      sealEntry(
        {
          ...{ kind: 'plan.reject', fed: 'fed_sample', actor: { type: 'steward', id: 'site-1' } },
          body: { planHash: `sha256:${'0'.repeat(64)}`, reason },
          ...nextPosition(undefined, new Date()),
        },
        [signer],
      );
    expect(() => seal('case-1234567')).toThrow(/reason holds a long number/);
    expect(parseEntry(seal('ethics')).kind).toBe('plan.reject');
  });

  it('are refused by member, never repeated', () => {
    const refuse = (): void => refuseIdentifiers(approval('patient 1234567'));
    expect(refuse).toThrow(expect.objectContaining({ code: 'E_LOG_ENTRY', details: { rule: 'D1' } }));
    expect(refuse).toThrow(/^plan\.approve: conditions holds a long number; /);
    expect(refuse).not.toThrow(/1234567/);
    expect(() => refuseIdentifiers(approval('no more than ten rounds'))).not.toThrow();
  });
});
