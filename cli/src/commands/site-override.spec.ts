import { describe, expect, it } from '@jest/globals';
import { Exit } from '../output/index.js';
import { run } from './run-program.support.js';
import { overrideLines } from './site-override.js';

const rest = ['--justification', 'agreed', '--until', '2099-01-31', '--config', 'none.yaml'];

describe('regulon site override', () => {
  it.each([
    ['no rule', ['site', 'override', 'toy', ...rest], /--rule/],
    ['a rule that nobody excepts from', ['site', 'override', 'toy', '--rule', 'nMin', ...rest], /--rule/],
    [
      'no reason',
      ['site', 'override', 'toy', '--rule', 'purposes', '--until', '2099-01-31', '--config', 'x'],
      /justif/,
    ],
    ['no configuration', ['site', 'override', 'toy', '--rule', 'purposes', ...rest], /none\.yaml/],
  ])('needs its options: %s', async (_, args, why) => {
    const { code, err } = await run(...args);
    expect([code, err]).toEqual([Exit.argument, expect.stringMatching(why)]);
  });

  it('shows both persons plan, rule, end and reason, and what the exception does not do', () => {
    const digest = `sha256:${'ab'.repeat(32)}`;
    const body: Parameters<typeof overrideLines>[1] = {
      ...{ policy: digest, planHash: digest, justification: 'agreed by the board' },
      rule: 'purposes',
      expires: '2026-12-01T00:00:00.000Z',
    };
    expect(overrideLines('toy', body, digest)).toEqual([
      `except plan toy, ${digest}`,
      `from purposes of policy ${digest}, until the end of 2026-11-30 UTC`,
      'because: agreed by the board',
      'effect: this site takes part in this plan against its policy; the terms of the dataset hold all the same',
      `digest  ${digest}`,
    ]);
  });
});
