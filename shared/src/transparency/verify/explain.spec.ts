import { describe, expect, it } from '@jest/globals';
import { sampleRun } from '../../transparency-samples/index.js';
import { parseEntry } from '../entries/parse.js';
import { explainEntry } from './explain.js';

describe('an entry in words', () => {
  const words = sampleRun().entries.map((bytes, index) => explainEntry(parseEntry(bytes), index));

  it('says who did what, where and when, signed by whom', () => {
    expect(
      words.every(
        (text) => text.split('\n').length === 3 && !text.includes('undefined') && !text.includes('object'),
      ),
    ).toBe(true);
    expect(words[2]).toMatch(
      /^entry 2: dataset\.commit, 2026-11-20T10:00:03\.000Z\nsite site-1 committed to version 1 of dataset expression: 100-199 units \(patient\), 700 features, declared simulated\.\nsigned with .* and .*steward/,
    );
    expect(words.at(-1)).toMatch(/finished the run: COMPLETED after 3 rounds/);
    expect(words.find((text) => text.includes('round.abort'))).toMatch(
      /round 1, attempt 0.*\ncoordinator coordinator ended the attempt at stage r3 without a sum: E_COHORT\./,
    );
  });
});
