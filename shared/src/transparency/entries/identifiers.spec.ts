import { describe, expect, it } from '@jest/globals';
import { identifierIn, refuseIdentifiers } from './identifiers.js';

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
    ['a long number', 'NCT012345678'],
    ['a telephone number', 'call +49 30 12-34-56'],
    ['a random-looking word', 'seed ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef'],
  ])('hold %s: %s', (found, text) => {
    expect(foundIn(text)).toBe(found);
  });

  it.each([
    'for 412 tumours, until 2027',
    `sha256:${'0123456789abcdef'.repeat(4)}`,
    'EGAD123456 and GSE62944',
    'NCT01234567, DRKS00012345, ISRCTN12345678',
    'seed ABCDEFGHIJKLMNOPQRSTUVWXYZabcde',
  ])('name nobody: %s', (text) => {
    expect(foundIn(text)).toBeUndefined();
  });

  it('are decimals only where a decimal stands', () => {
    const charge = (body: object) => identifierIn({ kind: 'round.contribution', body });
    expect(charge({ charge: { after: '0.1234567' } })).toBeUndefined();
    expect(charge({ dataset: '1234567' })).toEqual({ member: 'dataset', found: 'a long number' });
  });

  it('are not the proof against a dealer', () => {
    const proof = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    expect(identifierIn({ kind: 'round.reopen', body: { proof } })).toBeUndefined();
    expect(identifierIn({ kind: 'run.finish', body: { proof } })).toBeDefined();
  });

  it('are refused by member, never repeated', () => {
    const refuse = (): void => refuseIdentifiers(approval('patient 1234567'));
    expect(refuse).toThrow(expect.objectContaining({ code: 'E_LOG_ENTRY', details: { rule: 'D1' } }));
    expect(refuse).toThrow(/^plan\.approve: conditions holds a long number; /);
    expect(refuse).not.toThrow(/1234567/);
    expect(() => refuseIdentifiers(approval('no more than ten rounds'))).not.toThrow();
  });
});
