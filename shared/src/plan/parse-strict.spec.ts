import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { RegulonError } from '../errors/index.js';
import { parseStrict } from './parse-strict.js';

const schema = z.strictObject({
  schema: z.literal('regulon.federation/1'),
  name: z.string(),
  kind: z.enum(['a', 'b']),
});
function messageOf(value: unknown): string {
  try {
    parseStrict(schema, value, 'x.json', 'E_CONFIG');
  } catch (error) {
    if (error instanceof RegulonError) return error.message;
  }
  return '';
}

describe('a document that breaks its schema', () => {
  it('is said in words: what is missing, what is needed, which key is unknown', () => {
    const found = messageOf({ schema: 'regulon.federation/1', kind: 'Müller', nam: 1 });
    expect(found).toBe('x.json: name: missing (string); kind: needs one of "a"|"b"; nam: unknown key');
    expect(messageOf('Müller')).toBe('x.json: (top level): needs object, received string');
  });

  it('of another kind is named as that alone', () => {
    expect(messageOf({ schema: 'regulon.roster-change/1', roster: {} })).toBe(
      'x.json: schema: this is regulon.roster-change/1, needed is regulon.federation/1',
    );
  });

  it('repeats no text that is not a name of ours', () => {
    for (const said of ['Müller 1970', 'regulon.Müller/1', `regulon.${'a'.repeat(50)}/1`])
      expect(messageOf({ schema: said, name: 'n', kind: 'a' })).toBe(
        'x.json: schema: needs "regulon.federation/1"',
      );
  });
});
