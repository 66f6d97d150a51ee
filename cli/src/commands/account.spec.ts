import { describe, expect, it } from '@jest/globals';
import { run } from './run-program.support.js';

describe('regulon account', () => {
  it.each([
    [['add', 'Bad Name', '--role', 'researcher', '--yes']],
    [['reset', 'Bad Name', '--yes']],
    [['remove', '9lives', '--yes']],
    [['activate', 'x']],
  ])('%j: says which names there can be, before it asks anybody and without repeating it', async (args) => {
    const { code, err } = await run('account', ...args);
    expect([code, err]).toEqual([
      4,
      expect.stringMatching(
        /^E_ARGUMENT: the account: name: 2 to 40 of a-z, 0-9, dot, _ and -, the first a letter\n/,
      ),
    ]);
    expect(err).not.toMatch(/Bad Name|9lives/);
  });
});
