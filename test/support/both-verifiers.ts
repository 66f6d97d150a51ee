/** Both verifiers over a log that was exported; the one in Python where it can run. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { done } from './enrolled-federation.js';

const python = process.env['REGULON_PYTHON'] ?? 'python3';
const program = join(import.meta.dirname, '..', 'verifier', 'verify.py');
const hasPython = spawnSync(python, ['-c', 'import cryptography']).status === 0;

/** For the title of a test: who passes its log. */
export const WHO_PASSES = hasPython
  ? 'both verifiers pass'
  : 'verifies (the second verifier needs Python with cryptography)';

/** Expects that a log passes. @returns the rows of the report, by their names */
export async function expectPass(bundle: string, policy: string): Promise<ReadonlyMap<string, unknown>> {
  const report = await done('audit', 'verify', '--bundle', bundle, '--policy', policy);
  expect(report).toMatchObject({ status: 'pass' });
  if (hasPython) {
    const args = ['-B', program, '--bundle', bundle, '--policy', policy];
    const { stdout } = spawnSync(python, args, { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'pass', notes: [] });
  }
  const rules = report['rules'] as readonly { readonly id: string }[];
  return new Map(rules.map((rule) => [rule.id, rule]));
}
