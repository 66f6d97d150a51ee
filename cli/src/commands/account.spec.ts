import { describe, expect, it } from '@jest/globals';
import { accountLines } from './hand-over.js';
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

describe('what a person with an account is told to type', () => {
  it('names the coordinator as it is reached from everywhere', () => {
    expect(accountLines('account activate grace', 'https://coordinator.example')).toEqual([
      '  regulon account activate grace --server https://coordinator.example',
    ]);
  });

  it('names the tunnel that comes first, where the operator reached the coordinator on its own machine', () => {
    expect(accountLines('account activate grace', 'http://127.0.0.1:7003')).toEqual([
      '  regulon account activate grace --server http://127.0.0.1:7003',
      'http://127.0.0.1:7003 is this machine; on another one a tunnel to it comes first, and stays open:',
      '  ssh -N -L 7003:127.0.0.1:7003 HOST_OF_THE_COORDINATOR',
    ]);
  });
});
