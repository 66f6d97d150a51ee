/** Both verifiers over a log that was exported; the one in Python where it can run. */
import { expect } from '@jest/globals';
import { done } from './enrolled-federation.js';
import { hasPython, SecondVerifier } from './second-verifier.js';

/** For the title of a test: who passes its log. */
export const WHO_PASSES = hasPython
  ? 'both verifiers pass'
  : 'verifies (the second verifier needs Python with cryptography)';

/** Expects that a log passes. @returns the rows of the report, by their names */
export async function expectPass(bundle: string, policy: string): Promise<ReadonlyMap<string, unknown>> {
  const report = await done('audit', 'verify', '--bundle', bundle, '--policy', policy);
  expect(report).toMatchObject({ status: 'pass' });
  if (hasPython) {
    const second = new SecondVerifier();
    expect(await second.judge(['--bundle', bundle, '--policy', policy])).toMatchObject({
      status: 'pass',
      notes: [],
    });
    second.end();
  }
  const rules = report['rules'] as readonly { readonly id: string }[];
  return new Map(rules.map((rule) => [rule.id, rule]));
}
