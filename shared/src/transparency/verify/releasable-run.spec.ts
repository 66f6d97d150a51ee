import { describe, expect, it } from '@jest/globals';
import { utf8 } from '../../crypto/index.js';
import type { LogEntry } from '../entries/schema.js';
import { releasableRun, type RunWords } from './releasable-run.js';

const digest = `sha256:${'a'.repeat(64)}`;
const contribution = (id: string, role: string): LogEntry<'round.contribution'> =>
  ({
    actor: { id },
    body: { role, charge: null, commitment: digest, policy: digest },
  }) as unknown as LogEntry<'round.contribution'>;
const words = (plan: string): RunWords => ({
  proposal: {
    plan: { digest },
    privacy: { samplingRate: '1', sigma: '8', steps: 4, delta: '0.001', unit: 'patient' },
  } as unknown as RunWords['proposal'],
  resolve: () => utf8(plan),
  finish: undefined,
  contributions: [contribution('site-1', 'contributor'), contribution('site-2', 'silent')],
  policies: [],
});
const shared = (count: unknown): string => JSON.stringify({ privacy: { hospitalsPerPatient: count } });

describe('a run whose models may be released', () => {
  it('has totals and data of those who contributed, not of those who kept silent', () => {
    const { sites, commitments, models } = releasableRun(words(shared('1')));
    expect([...sites.keys()]).toEqual(['site-1']);
    expect([...commitments.keys()]).toEqual(['site-1']);
    expect(models).toEqual([]);
  });

  it('bounds a test by the hospitals that share a patient, and not at all where no plan says how many', () => {
    const [one, two] = ['1', '2'].map((count) => releasableRun(words(shared(count))).boundAt(0.01) ?? 0) as [
      number,
      number,
    ];
    expect(one).toBeGreaterThan(0.01);
    expect(two).toBeGreaterThan(one);
    for (const plan of ['{', 'null', shared('0'), shared(1)])
      expect(releasableRun(words(plan)).boundAt(0.01)).toBeUndefined();
  });
});
